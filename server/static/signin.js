/* The words of the sign-in form in the browser's language, and the way back to the view that was asked for. */

import { preferred, speak } from "./words.js";

// The part behind "#" never reaches the server; a browser carries it through the redirect after the form.
const form = document.querySelector("form");
const code = /^#pair=([\w-]+)$/.exec(location.hash)?.[1];
if (code) {
  // A phone that read the QR code: the code leaves the address before anything else, and is good once.
  history.replaceState(null, "", location.pathname);
  form.elements.pair.value = code;
  form.elements.token.required = false;
  form.submit();
} else if (location.hash) form.action = form.getAttribute("action") + location.hash;

await speak(preferred(["en", "fr"]));
