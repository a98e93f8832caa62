/** One sheet for all panels, adopted by their shadow roots. */
export const CSS_TEXT = `
:host {
  color-scheme: light dark;
  --page: var(--driftglass-page, #ffffff);
  --ink: var(--driftglass-ink, #15292d);
  --muted: #4c6267;
  --line: #d6e1df;
  --track: #e4eceb;
  --bar: #5fa899;
  --most: #2c7565;
  --accent: var(--driftglass-accent, #1f6173);
  --on-accent: #ffffff;
  --focus: #1f6f9a;
  --warn: #9c2f2f;
  --b0: #d9ece5; --b1: #dbe8f2; --b2: #f3ead2; --b3: #eadff0;
  display: block;
  container-type: inline-size;
  max-inline-size: 46rem;
  color: var(--ink);
  font: 1rem/1.5 var(--driftglass-font, "Avenir Next", Avenir, "Segoe UI Variable Text", "Segoe UI", "Noto Sans", Ubuntu, Cantarell, "Helvetica Neue", "Liberation Sans", Arial, sans-serif);
  font-variant-numeric: lining-nums;
}
:host([hidden]) { display: none; }
@media (prefers-color-scheme: dark) {
  :host {
    --page: var(--driftglass-page, #132023);
    --ink: var(--driftglass-ink, #e3eeec);
    --muted: #9db4b4;
    --line: #2b4043;
    --track: #263a3d;
    --bar: #3f7f73;
    --most: #77c5b0;
    --accent: var(--driftglass-accent, #84c7d6);
    --on-accent: #0c1517;
    --focus: #8cc8ec;
    --warn: #f2a49c;
    --b0: #1d3f39; --b1: #1f3646; --b2: #453a1d; --b3: #3a2c47;
  }
}
* { box-sizing: border-box; }
.panel { background: var(--page); border: 1px solid var(--line); border-radius: 14px; overflow: clip; }
header, section, footer { padding: 1.25rem 1.5rem; }
section, footer { border-block-start: 1px solid var(--line); }
h2, h3, p, dl, dd, ul { margin: 0; padding: 0; }
h2 { display: flex; gap: .6rem; align-items: center; font-size: 1.25rem; font-weight: 600; line-height: 1.25; letter-spacing: -.011em; text-wrap: balance; }
h2 svg { inline-size: 1.6rem; block-size: 1.6rem; flex: none; }
h3 { font-size: 1rem; font-weight: 600; line-height: 1.25; }
p { text-wrap: pretty; }
.quiet { color: var(--muted); font-size: .9rem; }
header .quiet, section .quiet:first-child { margin-block-start: .35rem; }
ul + .quiet { margin-block-start: .9rem; }
li .quiet:first-child { margin: 0; }
.switch { display: flex; gap: .9rem; align-items: center; inline-size: 100%; margin-block-start: 1.1rem; padding: .8rem 1rem; border: 1px solid var(--line); border-radius: 10px; background: none; color: inherit; font: inherit; text-align: start; cursor: pointer; }
.switch strong { display: block; font-weight: 600; }
.switch .quiet { display: block; }
.knob { position: relative; flex: none; inline-size: 2.75rem; block-size: 1.6rem; border-radius: 1rem; background: var(--page); border: 2px solid var(--muted); }
.knob::after { content: ""; position: absolute; inset-block-start: 50%; inset-inline-start: .2rem; inline-size: .95rem; block-size: .95rem; border-radius: 50%; background: var(--muted); translate: 0 -50%; }
[aria-checked="true"] .knob { background: var(--accent); border-color: var(--accent); }
[aria-checked="true"] .knob::after { inset-inline-start: calc(100% - 1.15rem); background: var(--on-accent); }
@media (prefers-reduced-motion: no-preference) {
  .knob, .knob::after { transition: inset-inline-start .16s ease, background-color .16s ease, border-color .16s ease; }
  summary::before { transition: rotate .12s ease; }
}
ul { list-style: none; margin-block-start: .9rem; }
.metrics { display: grid; gap: .85rem 2rem; grid-template-columns: 1fr; }
.metrics li { display: grid; grid-template-columns: 1fr 7rem; gap: .15rem 1rem; align-items: end; }
.metrics .name { font-weight: 600; }
.metrics .quiet { grid-column: 1; font-variant-numeric: tabular-nums; }
.bars { grid-column: 2; grid-row: 1 / span 2; inline-size: 100%; block-size: 2.4rem; }
.bars rect { fill: var(--bar); } .bars .most { fill: var(--most); } .bars .base { fill: var(--line); }
.budgets li + li { margin-block-start: .9rem; }
.budgets .row { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; font-variant-numeric: tabular-nums; }
.meter { display: block; overflow: visible; inline-size: 100%; block-size: .6rem; margin-block-start: .3rem; }
.meter .track { fill: var(--track); } .meter .spent { fill: var(--accent); }
.totals { margin-block-start: .6rem; font-variant-numeric: tabular-nums; }
.reports li + li { border-block-start: 1px solid var(--line); }
summary { display: flex; flex-wrap: wrap; gap: 0 .6rem; align-items: baseline; padding: .55rem .25rem; border-radius: 6px; cursor: pointer; list-style: none; }
summary::-webkit-details-marker { display: none; }
summary::before { content: "›"; inline-size: .6rem; color: var(--muted); font-size: 1.1rem; line-height: 1; text-align: center; }
[open] > summary::before { rotate: 90deg; }
summary .name { font-weight: 600; }
summary .state { margin-inline-start: auto; font-size: .85rem; color: var(--muted); }
.hex { margin: .25rem 0 .75rem 1.2rem; font: .82rem/1.9 ui-monospace, "SF Mono", "Cascadia Code", "Source Code Pro", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.hex span { padding: .1rem .3rem; margin-inline-end: .15rem; border-radius: 4px; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.f0 { background: var(--b0); } .f1 { background: var(--b1); } .f2 { background: var(--b2); } .f3 { background: var(--b3); }
table { inline-size: calc(100% - 1.2rem); margin: 0 0 .9rem 1.2rem; border-collapse: collapse; font-size: .85rem; }
th, td { padding: .25rem .5rem .25rem 0; text-align: start; vertical-align: top; font-weight: 400; border-block-end: 1px solid var(--line); }
thead th { color: var(--muted); }
tbody th { white-space: nowrap; }
td.size { font-variant-numeric: tabular-nums; white-space: nowrap; }
.chip { display: inline-block; inline-size: .7rem; block-size: .7rem; margin-inline-end: .45rem; border-radius: 3px; vertical-align: -.05rem; }
footer { display: flex; flex-wrap: wrap; gap: .75rem 1.25rem; align-items: center; justify-content: space-between; }
footer p { flex: 1 1 16rem; }
.buttons { display: flex; gap: .6rem; }
.button { padding: .5rem .95rem; border: 1px solid currentcolor; border-radius: 8px; background: none; color: inherit; font: inherit; cursor: pointer; }
.danger { color: var(--warn); }
.button:hover, .switch:hover, summary:hover { background: color-mix(in srgb, currentcolor 7%, transparent); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.said { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@container (inline-size > 38rem) { .metrics { grid-template-columns: 1fr 1fr; } }
@container (inline-size < 24rem) { header, section, footer { padding: 1rem; } table, .hex { margin-inline-start: 0; inline-size: 100%; } }
@media (forced-colors: active) {
  .knob::after { background: ButtonText; } [aria-checked="true"] .knob { background: Highlight; } [aria-checked="true"] .knob::after { background: HighlightText; }
  .bars rect, .meter .spent { fill: CanvasText; } .meter .track { fill: GrayText; }
}
`;
