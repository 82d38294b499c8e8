/* Pictures before they are sent: their size as the browser shows them, and large photographs made smaller. */

/** Largest picture that the server takes for one cell, and for a field, in pixels (server/settings.py). */
const CELL_PIXELS = 4_000_000;
const FIELD_PIXELS = 20_000_000;
/** What a larger one is brought down to, and the bytes above which any is written anew. */
const SCALED_PIXELS = 16_000_000;
const MOST_BYTES = 40 * 1024 * 1024;
const QUALITY = 0.95;

/** The size of a picture as it is shown, its orientation applied; null where this browser cannot show it. */
async function sizeOf(file) {
  const address = URL.createObjectURL(file);
  const image = new Image();
  image.src = address;
  try {
    await new Promise((resolve, reject) => { image.onload = resolve; image.onerror = reject; });
    return { image, width: image.naturalWidth, height: image.naturalHeight, done: () => URL.revokeObjectURL(address) };
  } catch {
    URL.revokeObjectURL(address);
    return null;
  }
}

/** Whether a picture has more pixels than any of one cell has. */
export async function looksLikeField(file) {
  const size = await sizeOf(file);
  size?.done();
  return size !== null && size.width * size.height > CELL_PIXELS;
}

/**
 * A picture as it can be sent: itself, or where it is too large, scaled and turned upright.
 * Gives `{file, from, to}`; sizes as `[width, height]`, only where it was scaled.
 */
export async function fit(file) {
  const size = await sizeOf(file);
  if (!size) return { file };
  try {
    const pixels = size.width * size.height;
    const foreign = /\.hei[cf]$/i.test(file.name) || /hei[cf]/.test(file.type);
    if (pixels <= FIELD_PIXELS && file.size <= MOST_BYTES && !foreign) return { file };
    const scale = pixels > FIELD_PIXELS ? Math.sqrt(SCALED_PIXELS / pixels) : 1;
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(size.width * scale);
    canvas.height = Math.round(size.height * scale);
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    // The browser draws it upright, and what it writes says nothing of orientation: it cannot be turned twice.
    context.drawImage(size.image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    if (!blob) return { file };
    const fitted = new File([blob], file.name, { type: "image/jpeg" });
    return { file: fitted, from: [size.width, size.height], to: [canvas.width, canvas.height] };
  } finally {
    size.done();
  }
}
