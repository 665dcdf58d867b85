import { createHash } from 'node:crypto'

/** The whole style of the page for people: no file of its own, so that nothing has to be let through by the policy. */
export const docsStyle = `
:root { color-scheme: light dark; --text: #1d2430; --soft: #55606f; --back: #fdfdfc; --card: #f3f4f2; --line: #d8dbd6; --link: #0b57a4; --get: #1c6b3c; --post: #8a4b00; --put: #5b3fa0; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e7ec; --soft: #a3adba; --back: #14171c; --card: #1d2229; --line: #343b45; --link: #8ec1ff; --get: #7fd6a2; --post: #f2b76b; --put: #c3acff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 52rem; padding: 1rem 1rem 4rem; background: var(--back); color: var(--text); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1rem 0 0.25rem; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 0.5rem; border-bottom: 1px solid var(--line); padding-bottom: 0.25rem; }
h3 { font-size: 1.05rem; margin: 0; }
h4 { font-size: 0.9rem; margin: 1rem 0 0.25rem; color: var(--soft); }
code, pre { font: 0.9em/1.5 ui-monospace, monospace; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 0.75rem; overflow-x: auto; overflow-wrap: normal; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 0.9rem 1rem; margin: 0.9rem 0; scroll-margin-top: 1rem; }
article:target { border-color: var(--link); }
dl { margin: 0.25rem 0; }
dt { margin-top: 0.4rem; }
dd { margin: 0 0 0 1.1rem; color: var(--soft); }
ul { padding-left: 1.2rem; }
nav ul { list-style: none; padding: 0; columns: 18rem; }
nav li { padding: 0.15rem 0; }
p { margin: 0.4rem 0; }
summary { cursor: pointer; margin-top: 0.75rem; color: var(--soft); }
.method { font-weight: 700; } .get { color: var(--get); } .post { color: var(--post); } .put { color: var(--put); }
.soft { color: var(--soft); }
.skip { position: absolute; left: -99rem; } .skip:focus { position: static; }
`

const hash = createHash('sha256').update(docsStyle).digest('base64')

/** The content security policy of the page: its own style and nothing else, no scripts at all. */
export const docsPolicy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
