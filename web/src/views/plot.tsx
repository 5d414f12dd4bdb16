/** A line plot by uPlot, in the colours of the page, as wide as its place. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useStore } from "../state/store.ts";
import { theme } from "./theme.ts";

export interface Curve {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** Name of a colour variable. */
  readonly colour: string;
  /** Only points, no line. */
  readonly isPoints?: boolean;
  readonly isDashed?: boolean;
}

interface Props {
  readonly label: string;
  readonly x: readonly number[];
  readonly curves: readonly Curve[];
  readonly xText: (value: number) => string;
  readonly yText: (value: number) => string;
  readonly height?: number;
  /** Distances between marks of the x axis that may be chosen. */
  readonly xSteps?: readonly number[];
}

const DEFAULT_HEIGHT = 190;
const POINT_PX = 6;
/** Room for the text of a chosen step, which is longer than a number. */
const STEP_PX = 76;

export function Plot({ label, x, curves, xText, yText, xSteps, height = DEFAULT_HEIGHT }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const look = useStore(theme);
  const latest = useRef({ xText, yText });
  latest.current = { xText, yText };
  const shape = curves.map((curve) => `${curve.label}${curve.colour}${curve.isPoints}${curve.isDashed}`).join();
  const data = [x, ...curves.map((curve) => curve.values)] as unknown as uPlot.AlignedData;
  const now = useRef({ data, curves });
  now.current = { data, curves };
  const plot = useRef<uPlot | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read when the theme or the set of curves changes
  useEffect(() => {
    const node = place.current;
    if (!node) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
    const axis = (text: (value: number) => string): uPlot.Axis => ({
      stroke: colour("muted"),
      grid: { stroke: colour("line"), width: 1 },
      ticks: { show: false },
      font: "11px system-ui, sans-serif",
      values: (_, splits) => splits.map(text),
    });
    const made = new uPlot(
      {
        width: node.clientWidth,
        height,
        legend: { show: false },
        cursor: { show: false },
        pxAlign: 0,
        // The text of the last chosen step stands half beyond the curve's end.
        ...(xSteps ? { padding: [null, STEP_PX / 2, null, null] as uPlot.Padding } : {}),
        scales: { x: { time: false } },
        axes: [
          {
            ...axis((value) => latest.current.xText(value)),
            size: 30,
            ...(xSteps ? { incrs: [...xSteps], space: STEP_PX } : {}),
          },
          { ...axis((value) => latest.current.yText(value)), size: 46 },
        ],
        series: [
          {},
          ...now.current.curves.map(
            (curve): uPlot.Series => ({
              label: curve.label,
              stroke: colour(curve.colour),
              width: curve.isPoints ? 0 : 2,
              ...(curve.isDashed ? { dash: [4, 4] } : {}),
              points: { show: curve.isPoints ?? false, size: POINT_PX, fill: colour(curve.colour) },
            }),
          ),
        ],
      },
      now.current.data,
      node,
    );
    plot.current = made;
    const watcher = new ResizeObserver(() => made.setSize({ width: node.clientWidth, height }));
    watcher.observe(node);
    return () => {
      watcher.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [look, shape, height]);
  useEffect(() => plot.current?.setData(now.current.data));
  return <div ref={place} class="plot" role="img" aria-label={label} />;
}
