// Switches the theme in place, and keeps the choice for the pages to come.

const MEDIA = { auto: "(prefers-color-scheme: dark)", light: "not all", dark: "all" };
const SCHEMES = { auto: "light dark", light: "light", dark: "dark" };
const YEAR = 365 * 24 * 60 * 60;

export function switchThemes(root) {
  for (const choice of root.querySelectorAll("[data-theme-choice]")) {
    choice.addEventListener("click", (event) => {
      event.preventDefault();
      apply(choice.dataset.themeChoice);
    });
  }
}

function apply(theme) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; Path=/; Max-Age=${YEAR}; SameSite=Lax${secure}`;
  document.documentElement.dataset.theme = theme;
  document.querySelector("link[data-dark]").media = MEDIA[theme];
  document.querySelector('meta[name="color-scheme"]').content = SCHEMES[theme];
  for (const choice of document.querySelectorAll("[data-theme-choice]")) {
    if (choice.dataset.themeChoice === theme) choice.setAttribute("aria-current", "true");
    else choice.removeAttribute("aria-current");
  }
}
