/** The look of all pages: served as a file of its own, since the policy lets no style stand in a page. */
export const style = `
:root {
  color-scheme: light dark;
  --back: #faf9f6; --card: #ffffff; --sunken: #f2f0ea; --line: #dfdbd1; --text: #22262b; --soft: #59616b;
  --link: #22507f; --good: #17614f; --bad: #a2330f; --busy: #22507f; --wait: #765200; --calm: #59616b;
  --good-back: #e0f0ea; --bad-back: #fbe6de; --busy-back: #e2ebf5; --wait-back: #f7ecd0; --calm-back: #eceae4;
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace;
  --c-red: #a2330f; --c-green: #17614f; --c-yellow: #765200; --c-blue: #22507f; --c-magenta: #7a2f74; --c-cyan: #0b6170;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #12151a; --card: #191d24; --sunken: #0d1014; --line: #2c323b; --text: #e4e4e0; --soft: #9ba4af;
    --link: #9fc0ea; --good: #78cdb6; --bad: #ff9f82; --busy: #9fc0ea; --wait: #e3bd68; --calm: #9ba4af;
    --good-back: #16302a; --bad-back: #3b1d14; --busy-back: #1b2b40; --wait-back: #33290f; --calm-back: #242a32;
    --c-red: #ff9f82; --c-green: #78cdb6; --c-yellow: #e3bd68; --c-blue: #9fc0ea; --c-magenta: #dfa3da; --c-cyan: #7fd0de;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--back); color: var(--text); font: 0.9375rem/1.55 system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
main { max-width: 74rem; margin: 0 auto; padding: 1.25rem 1.25rem 5rem; }
main:focus { outline: none; }
a { color: var(--link); text-underline-offset: 0.15em; text-decoration-thickness: 1px; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
h1 { font-size: 1.5rem; line-height: 1.25; font-weight: 620; letter-spacing: -0.01em; margin: 0; text-wrap: balance; }
h2 { font-size: 1rem; font-weight: 620; margin: 2rem 0 0.6rem; }
h3 { font-size: 0.8125rem; font-weight: 600; color: var(--soft); margin: 1rem 0 0.3rem; }
p { margin: 0.4rem 0; }
.soft { color: var(--soft); }
.mono, code, pre { font-family: var(--mono); font-size: 0.8125rem; }
.count { color: var(--soft); font-weight: 400; margin-left: 0.2rem; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--card); padding: 0.4rem 0.8rem; z-index: 2; }
.narrow { max-width: 28rem; margin: 10vh auto 0; }

.top { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem 1.5rem; max-width: 74rem; margin: 0 auto; padding: 0.9rem 1.25rem; border-bottom: 1px solid var(--line); }
.brand { font-weight: 650; color: var(--text); text-decoration: none; letter-spacing: -0.01em; }
.top nav { display: flex; gap: 1.1rem; }
.top nav a { color: var(--soft); text-decoration: none; padding: 0.2rem 0; }
.top nav a:hover { color: var(--text); }
.top nav a[aria-current] { color: var(--text); box-shadow: 0 2px 0 var(--text); }
.who { margin-left: auto; display: flex; gap: 0.75rem; align-items: center; }

button, input, select { font: inherit; color: inherit; }
button { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 0.25rem 0.75rem; cursor: pointer; min-height: 2rem; }
button:hover { border-color: var(--soft); }
button.primary { background: var(--text); color: var(--back); border-color: var(--text); }
button.danger { color: var(--bad); }
input, select { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 0.3rem 0.5rem; min-height: 2.1rem; width: 100%; }
form.inline { display: inline; margin: 0; }
form.stacked { display: grid; gap: 0.5rem; margin-top: 1rem; }
.fault { color: var(--bad); }

.badge { display: inline-block; white-space: nowrap; font-size: 0.8125rem; font-weight: 560; padding: 0.05rem 0.5rem; border-radius: 99px; }
.badge.good { color: var(--good); background: var(--good-back); }
.badge.bad { color: var(--bad); background: var(--bad-back); }
.badge.busy { color: var(--busy); background: var(--busy-back); }
.badge.wait { color: var(--wait); background: var(--wait-back); }
.badge.calm { color: var(--calm); background: var(--calm-back); }

.title-line { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; align-items: baseline; justify-content: space-between; }
.title-line h1 { flex: 1 1 20rem; }
.choices { display: flex; gap: 0.9rem; font-size: 0.875rem; }
.choices a { color: var(--soft); text-decoration: none; }
.choices a[aria-current] { color: var(--text); box-shadow: 0 2px 0 var(--line); }

.numbers { display: grid; grid-template-columns: 2fr 1fr 1fr 1fr; gap: 0 1.75rem; margin: 1.25rem 0 0; padding: 1rem 0; border-block: 1px solid var(--line); }
.number { display: flex; flex-direction: column; align-items: flex-start; min-width: 0; }
.number .label { color: var(--soft); font-size: 0.8125rem; }
.number .value { font-size: 1.4rem; line-height: 1.35; font-weight: 560; letter-spacing: -0.015em; }
.number .soft { font-size: 0.8125rem; }
.number form { margin-top: 0.35rem; }
.outcomes { display: flex; flex-wrap: wrap; gap: 0.3rem 0.8rem; margin-top: 0.2rem; }
.outcome { color: inherit; text-decoration: none; }
.outcome:hover b { text-decoration: underline; }

.rows { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
.row { display: grid; grid-template-columns: 8.5rem minmax(0, 1fr) auto; gap: 0 1rem; padding: 0.55rem 0; border-bottom: 1px solid var(--line); }
.row .what > a { color: var(--text); text-decoration: none; font-weight: 500; }
.row .what > a:hover { text-decoration: underline; }
.what { display: flex; flex-direction: column; min-width: 0; }
.meta { display: flex; flex-wrap: wrap; gap: 0 0.9rem; color: var(--soft); font-size: 0.8125rem; }
.meta .mono { font-size: 0.75rem; }
.reason { color: var(--soft); font-size: 0.875rem; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.next { font-size: 0.875rem; }
.row .facts { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: 0 1rem; font-size: 0.8125rem; text-align: right; align-content: start; max-width: 20rem; }
.pages { display: flex; justify-content: space-between; padding: 0.8rem 0; }

.workers { list-style: none; margin: 0; padding: 0; }
.workers li { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; align-items: center; padding: 0.3rem 0; }
.slots { display: inline-flex; flex-wrap: wrap; gap: 3px; }
.slots i { width: 0.7rem; height: 0.7rem; border: 1.5px solid var(--soft); border-radius: 3px; }
.slots i.used { background: var(--busy); border-color: var(--busy); }

.filters { display: flex; flex-wrap: wrap; gap: 0.6rem 0.8rem; align-items: end; margin: 0.9rem 0 1.1rem; }
.filters label { font-size: 0.8125rem; color: var(--soft); }
.filters label input, .filters label select { display: block; margin-top: 0.15rem; color: var(--text); font-size: 0.9375rem; }
.filters .grow { flex: 1 1 12rem; }
.clear { align-self: center; }

.lead { font-size: 1rem; margin: 0.6rem 0 0.3rem; max-width: 60rem; }
.facts { margin: 0; }
dl.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 0.5rem 1.5rem; margin-top: 0.9rem; }
dl.facts dt { color: var(--soft); font-size: 0.8125rem; }
dl.facts dd { margin: 0; }
.prompt { white-space: pre-wrap; max-width: 50rem; }
summary { cursor: pointer; }

.timeline { list-style: none; margin: 0; padding: 0; }
.timeline li { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr) 6rem; gap: 0.75rem; align-items: center; font-size: 0.8125rem; min-height: 1.5rem; }
.timeline .lane { color: var(--soft); text-align: right; }
.timeline .took { font-family: var(--mono); font-size: 0.75rem; }
.bars { width: 100%; display: block; background: linear-gradient(var(--line), var(--line)) center / 100% 1px no-repeat; overflow: visible; }
.bar.ok { fill: var(--good); } .bar.failed { fill: var(--bad); } .bar.open { fill: var(--busy); }
.bar.wait { fill: var(--back); stroke: var(--wait); stroke-width: 1.25; stroke-dasharray: 3 2; }
ol.notes { padding-left: 0; list-style: none; font-size: 0.875rem; }
.notes time { font-size: 0.8125rem; color: var(--soft); }

.violations { list-style: none; padding: 0; margin: 0; }
.violations li { padding: 0.35rem 0; border-bottom: 1px solid var(--line); }
.violations .message { display: block; }
code { background: var(--calm-back); border-radius: 4px; padding: 0.05rem 0.3rem; }

details.check, details.file { border: 1px solid var(--line); border-radius: 8px; margin: 0.5rem 0; background: var(--card); overflow: hidden; }
details.check > *, details.file > * { margin-left: 0.8rem; margin-right: 0.8rem; }
details.check > summary, details.file > summary { margin: 0; padding: 0.45rem 0.8rem; }
details.file > summary { display: flex; gap: 1rem; align-items: baseline; position: sticky; top: 0; background: var(--card); }
details.file > summary::before { content: '▸'; color: var(--soft); }
details.file[open] > summary::before { content: '▾'; }
.path { font-family: var(--mono); font-size: 0.8125rem; }
.counts { margin-left: auto; white-space: nowrap; }
.added { color: var(--good); } .removed { color: var(--bad); }
pre { background: var(--sunken); border: 1px solid var(--line); border-radius: 8px; padding: 0.7rem 0.8rem; margin: 0.5rem 0; overflow: auto; max-height: 32rem; line-height: 1.5; tab-size: 4; white-space: pre-wrap; }
pre.diff { margin: 0; border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: 0.3rem 0; max-height: none; white-space: pre; overflow-wrap: normal; background: none; line-height: 0; }
pre.diff span { display: block; padding: 0 0.8rem; line-height: 1.5; min-width: max-content; }
pre.diff .add { background: var(--good-back); } pre.diff .del { background: var(--bad-back); }
pre.diff .hunk { color: var(--soft); background: var(--sunken); }
pre.output { max-height: min(30rem, 70vh); }
pre.output:empty { display: none; }
.line { display: block; min-height: 1.2em; }
.line.step { color: var(--soft); margin: 0.5rem 0 0.15rem; border-bottom: 1px solid var(--line); }
.line.step:first-child { margin-top: 0; }
.output-bar { display: flex; gap: 1rem; align-items: center; min-height: 2rem; }
.output-bar button { margin-left: auto; }
.link-state { position: fixed; bottom: 1rem; left: 50%; transform: translateX(-50%); margin: 0; background: var(--text); color: var(--back); border-radius: 99px; padding: 0.3rem 1rem; font-size: 0.875rem; }
.link-state:empty { display: none; }
.ansi-black, .ansi-white { color: var(--text); }
.ansi-red { color: var(--c-red); } .ansi-green { color: var(--c-green); } .ansi-yellow { color: var(--c-yellow); }
.ansi-blue { color: var(--c-blue); } .ansi-magenta { color: var(--c-magenta); } .ansi-cyan { color: var(--c-cyan); }
.ansi-bold { font-weight: 700; } .ansi-dim { color: var(--soft); } .ansi-italic { font-style: italic; } .ansi-underline { text-decoration: underline; }

.progress { width: 100%; display: block; margin: 0.4rem 0; background: var(--line); border-radius: 4px; overflow: hidden; }
.what .progress { max-width: 24rem; height: 5px; }
.grid-scroll { overflow-x: auto; margin-top: 1.5rem; padding: 2px; }
.grid { position: relative; display: flex; gap: 3rem; width: max-content; align-items: flex-start; }
.arrows { position: absolute; left: 0; top: 0; pointer-events: none; }
.arrows path { fill: none; stroke: var(--soft); stroke-width: 0.08; }
.batch { width: 15rem; }
.batch h2 { height: 3.25rem; margin: 0; display: flex; align-items: center; font-size: 0.875rem; overflow: hidden; }
.batch ol { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.75rem; }
.cell { position: relative; height: 4.5rem; padding: 0.45rem 0.7rem 0.45rem 0.8rem; border: 1px solid var(--line); border-left: 4px solid var(--calm); border-radius: 6px; background: var(--card); overflow: hidden; font-size: 0.875rem; line-height: 1.35; display: flex; flex-direction: column; justify-content: space-between; }
.cell.good { border-left-color: var(--good); } .cell.bad { border-left-color: var(--bad); }
.cell.busy { border-left-color: var(--busy); } .cell.wait { border-left-color: var(--wait); }
.cell > a { color: var(--text); text-decoration: none; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.cell > a:hover { text-decoration: underline; }
.cell .badge { font-size: 0.75rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.schedule { border-bottom: 1px solid var(--line); padding-bottom: 1.25rem; }
.schedule h2 { margin: 1.25rem 0 0; }
.actions { display: flex; gap: 0.5rem; }
.times { list-style: none; margin: 0; padding: 0; }

@media (max-width: 48rem) {
  main, .top { padding-left: 1rem; padding-right: 1rem; }
  h1 { font-size: 1.3rem; }
  .numbers { grid-template-columns: 1fr 1fr; gap: 0.9rem 1.25rem; }
  .number.wide { grid-column: 1 / -1; }
  .row { grid-template-columns: minmax(0, 1fr); gap: 0.15rem; padding: 0.7rem 0; }
  .row .facts { justify-content: flex-start; text-align: left; max-width: none; }
  .timeline li { grid-template-columns: 4.6rem minmax(0, 1fr) 4.6rem; gap: 0.5rem; }
  .filters label:not(.grow) { flex: 1 1 40%; }
  .filters .primary { flex: 1 1 100%; min-height: 2.4rem; }
  button { min-height: 2.4rem; }
  .who { margin-left: 0; }
}
@media (forced-colors: active) { .slots i.used { background: CanvasText; forced-color-adjust: none; } }
@media (prefers-reduced-motion: no-preference) { a, button { transition: border-color 0.12s, color 0.12s; } }
`

export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1b2b40"/><path d="M20.5 6.5a10 10 0 1 0 5 13.5 8.2 8.2 0 0 1-5-13.5z" fill="#e8dfc4"/></svg>`
