/** Connect a wallet, look at an address, or leave. */
import { useEffect, useRef, useState } from "preact/hooks";
import { short } from "../chain/units.ts";
import { useStore } from "../state/store.ts";
import { available, wallets } from "../wallet/discovery.ts";
import { problem } from "../wallet/problems.ts";
import { addressOf, connectWallet, leave, session, watch } from "../wallet/session.ts";
import { Field, Message, useWork } from "./parts.tsx";

export function WalletDialog({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const now = useStore(session);
  const found = available(useStore(wallets));
  const work = useWork();
  const [address, setAddress] = useState("");
  useEffect(() => dialog.current?.showModal(), []);
  const close = () => dialog.current?.close();
  const done = (step: () => Promise<void>) =>
    work.run(async () => {
      await step();
      close();
    });
  const shown = addressOf(now);
  return (
    <dialog ref={dialog} aria-labelledby="wallet-title" onClose={onClose}>
      <div class="row" style="justify-content:space-between">
        <h2 id="wallet-title">{shown ? "You" : "Connect a wallet"}</h2>
        <button type="button" class="plain slim" onClick={close}>
          Close
        </button>
      </div>
      {shown && (
        <div class="stack" style="margin-top:.8rem">
          <p>
            {now.kind === "connected" ? `${now.connection.wallet.name} shows this page` : "You look at"}{" "}
            <strong>{short(shown)}</strong>
            {now.kind === "watching" && " without a wallet: nothing can be sent."}
          </p>
          <p class="small muted" style="overflow-wrap:anywhere">
            {shown}
          </p>
          {now.kind === "connected" && now.connection.addresses.length > 1 && (
            <p class="small muted">
              The wallet shows {now.connection.addresses.length} accounts; which one acts is chosen in the wallet.
            </p>
          )}
          <div class="row">
            <button type="button" onClick={() => done(async () => leave())}>
              {now.kind === "connected" ? "Disconnect" : "Stop watching"}
            </button>
          </div>
        </div>
      )}
      <div class="choices">
        {found.map((wallet) => (
          <button
            key={wallet.id}
            class="choice"
            type="button"
            disabled={work.busy}
            onClick={() => done(() => connectWallet(wallet))}
          >
            {wallet.icon && <img src={wallet.icon} alt="" />}
            {wallet.name}
          </button>
        ))}
        {!found.length && <p class="small muted">{problem("none").message}</p>}
      </div>
      {work.busy && <p class="small muted">Waiting for the wallet…</p>}
      {work.problem && <Message tone="bad">{work.problem}</Message>}
      <form
        style="margin-top:1rem"
        onSubmit={(event) => {
          event.preventDefault();
          void done(async () => watch(address));
        }}
      >
        <Field
          label="Or look at an address without a wallet"
          value={address}
          isText
          placeholder="0x…"
          onInput={setAddress}
          aside={<button type="submit">Watch</button>}
        />
      </form>
    </dialog>
  );
}
