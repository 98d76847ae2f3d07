// Digits as Japanese keyboards and careful people type them: full width, with spaces and hyphens between.

export function digits(text) {
  return text.normalize("NFKC").replace(/[\s\-‐‑–—ー−]/g, "");
}

// The server reads them just as well; this only shows what it will read.
export function rewriteDigits(root) {
  for (const field of root.querySelectorAll("input[data-code]")) {
    field.addEventListener("blur", () => {
      const read = digits(field.value);
      if (read !== field.value) field.value = read;
    });
  }
}
