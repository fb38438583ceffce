// Light or dark: as the system says, until the button says otherwise.

/** Join `button` to the page's colour scheme. */
export function makeScheme(button) {
  const root = document.documentElement;
  button.addEventListener("click", () => {
    root.style.colorScheme = isDark() ? "light" : "dark";
    dispatchEvent(new Event("themechange"));
  });

  function isDark() {
    return root.style.colorScheme ? root.style.colorScheme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }
}
