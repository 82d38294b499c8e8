/* The words of the sign-in form in the browser's language. */

import { preferred, speak } from "./words.js";

await speak(preferred(["en", "fr"]));
