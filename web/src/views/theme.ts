/** Light, dark, or what the system says. */
import { Store } from "../state/store.ts";

export type Theme = "system" | "light" | "dark";

const KEY = "plimsoll.theme";
const ORDER: readonly Theme[] = ["system", "light", "dark"];
const dark = matchMedia("(prefers-color-scheme: dark)");

function remembered(): Theme {
  const found = localStorage.getItem(KEY);
  return found === "light" || found === "dark" ? found : "system";
}

export const theme = new Store<Theme>(remembered());

function apply(): void {
  const now = theme.get();
  document.documentElement.dataset.theme = now === "system" ? (dark.matches ? "dark" : "light") : now;
}

export function nextTheme(): void {
  const next = ORDER[(ORDER.indexOf(theme.get()) + 1) % ORDER.length] ?? "system";
  if (next === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, next);
  theme.set(next);
}

/** Paints the page and follows both the choice and the system. */
export function startTheme(): void {
  apply();
  theme.subscribe(apply);
  dark.addEventListener("change", apply);
}
