/** When an order enters the book: at once, or when a round shows a spot price. */
import { parseUnits } from "../chain/units.ts";
import type { Wait } from "../venue/order.ts";
import { Field, Select } from "./parts.tsx";

export type When = "now" | Wait["side"];

export interface WaitForm {
  readonly when: When;
  readonly spot: string;
}

/** A trigger goes in cents, as prices do. */
const SPOT_DECIMALS = 2;
const CENT_WAD = 10n ** 16n;

export const AT_ONCE: WaitForm = { when: "now", spot: "" };

/** The form as a wait; `null` waits for nothing, `undefined` is incomplete. */
export function typedWait({ when, spot }: WaitForm): Wait | null | undefined {
  if (when === "now") return null;
  const found = parseUnits(spot, SPOT_DECIMALS);
  return found.ok ? { side: when, spotWad: found.value * CENT_WAD } : undefined;
}

/** Whether the last round shows the spot already. */
export const isMet = ({ side, spotWad }: Wait, nowWad: bigint): boolean =>
  side === "atOrAbove" ? nowWad >= spotWad : nowWad <= spotWad;

export function WaitFields(props: {
  label: string;
  symbol: string;
  value: WaitForm;
  /** Whether it may enter at once. */
  mayBeNow: boolean;
  onChange: (value: WaitForm) => void;
}) {
  const { value, symbol } = props;
  const spot = parseUnits(value.spot, SPOT_DECIMALS);
  const options: (readonly [When, string])[] = [
    ...(props.mayBeNow ? ([["now", "at once"]] as const) : []),
    ["atOrAbove", `if ${symbol} rises to`],
    ["atOrBelow", `if ${symbol} falls to`],
  ];
  return (
    <>
      <Select
        label={props.label}
        value={value.when}
        options={options}
        onChange={(when) => props.onChange({ ...value, when })}
      />
      {value.when !== "now" && (
        <Field
          label={`${symbol} spot`}
          value={value.spot}
          problem={value.spot && !spot.ok ? spot.problem : undefined}
          onInput={(text) => props.onChange({ ...value, spot: text })}
        />
      )}
    </>
  );
}
