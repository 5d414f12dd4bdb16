import type { ViewProps } from "./frame.tsx";

export function TradeView(_: ViewProps) {
  return <p class="empty">Nothing yet.</p>;
}
