/** How much netting an account may use. */
import { MODES } from "../chain/account.ts";
import { Segments } from "./parts.tsx";

export const MODE_WORDS = [
  "Netting inside each underlying. The default.",
  "Each position alone, without offsets; a long option needs nothing and is no collateral.",
  "Offsets between underlyings as well, beside a share that is never offset.",
] as const;

export function ModeChoice({ value, onChange }: { value: number; onChange: (mode: number) => void }) {
  return (
    <div>
      <span class="label">Margin mode</span>
      <Segments
        label="Margin mode"
        value={String(value)}
        options={MODES.map((name, index) => [String(index), name] as const)}
        onChange={(text) => onChange(Number(text))}
      />
      <p class="small muted" style="margin-top:.35rem">
        {MODE_WORDS[value]}
      </p>
    </div>
  );
}
