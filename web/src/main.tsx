import { render } from "preact";
import { loadSettings } from "./chain/deployment.ts";
import { App } from "./state/app.ts";
import { Frame } from "./views/frame.tsx";
import { startTheme } from "./views/theme.ts";
import "./style.css";
import { Message } from "./views/parts.tsx";
import { discover, wallets } from "./wallet/discovery.ts";
import { reconnect } from "./wallet/session.ts";

const root = document.getElementById("page");
if (!root) throw new Error("the page has no root");

startTheme();
discover();
try {
  const app = new App(await loadSettings());
  render(<Frame app={app} />, root);
  app.start();
  // Wallets announce themselves when they are ready, before the page or after it.
  const again = () => void reconnect(wallets.get()).catch(() => undefined);
  wallets.subscribe(again);
  again();
} catch (thrown) {
  const sentence = thrown instanceof Error ? thrown.message : String(thrown);
  render(
    <div class="frame" style="padding-top:2rem">
      <Message tone="bad">This page is not set up: {sentence}</Message>
    </div>,
    root,
  );
}
