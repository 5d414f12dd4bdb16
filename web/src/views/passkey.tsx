/** A passkey of this device as a trader key: made by the device, put on chain by the wallet, then granted as any key. */
import { useState } from "preact/hooks";
import type { Address } from "viem";
import { short } from "../chain/units.ts";
import { hasPasskeys, makePasskey } from "../wallet/passkey.ts";
import { sendCall } from "../wallet/send.ts";
import type { ControlProps } from "./control.tsx";
import { Message, useWork } from "./parts.tsx";

interface Props extends Pick<ControlProps, "app" | "account" | "connection"> {
  readonly onMade: (address: Address) => void;
}

export function PasskeyMaker({ app, account, connection, onMade }: Props) {
  const work = useWork();
  const [made, setMade] = useState("");
  if (!hasPasskeys()) return null;
  const make = () =>
    work.run(async () => {
      if (!connection) return;
      setMade("");
      const { passkey, create } = await makePasskey(app.context, `Plimsoll account ${account.id}`);
      await sendCall(app.context, connection, create);
      setMade(`The passkey is ${short(passkey.address)}. Set its limits and let it trade.`);
      onMade(passkey.address);
    });
  return (
    <div class="stack">
      <p class="small muted">
        A passkey of this device can be the key: orders are then signed by a fingerprint, a face or a code, without the
        wallet. It stays in the device; the chain learns its public half.
      </p>
      <div>
        <button type="button" class="slim" disabled={!connection || work.busy} onClick={make}>
          {work.busy ? "Waiting for device and wallet…" : "Make a passkey"}
        </button>
      </div>
      {made && <Message tone="good">{made}</Message>}
      {work.problem && <Message tone="bad">{work.problem}</Message>}
    </div>
  );
}
