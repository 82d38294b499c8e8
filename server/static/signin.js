/* The words of the sign-in form in the browser's language, and the way back to the view that was asked for. */

import { preferred, speak } from "./words.js";

// The part behind "#" never reaches the server; a browser carries it through the redirect after the form.
const form = document.querySelector("form");
if (location.hash) form.action = form.getAttribute("action") + location.hash;

await speak(preferred(["en", "fr"]));
