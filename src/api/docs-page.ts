import { html, raw } from 'hono/html'
import { schemaFields, schemaName, type Schema } from './docs-schema.ts'
import { docsStyle } from './docs-style.ts'
import type { OpenApiDocument } from './openapi.ts'
import { problemKinds } from './problem.ts'

type Html = ReturnType<typeof html>
type PathItem = NonNullable<OpenApiDocument['paths']>[string]
type Operation = NonNullable<PathItem['get']>

interface Call {
  readonly method: string
  readonly path: string
  readonly operation: Operation
}

/** The API for people, made from its OpenAPI document: one page without scripts and without foreign files. */
export function docsPage(document: OpenApiDocument): Html {
  const calls = allCalls(document)
  const schemas = Object.entries(document.components?.schemas ?? {})
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Nightshift API</title>
        ${styleElement}
      </head>
      <body>
        <a class="skip" href="#calls">Skip to the calls</a>
        <header>
          <h1>${document.info.title} API</h1>
          <p class="soft">Version ${document.info.version} · <a href="/openapi.json">OpenAPI document</a></p>
          <p>${document.info.description ?? ''}</p>
          <p>
            Calls under <code>/api/v1</code> take <code>Authorization: Bearer TOKEN</code>, made with
            <code>nightshift token create NAME</code>. Bound to loopback, and as long as there is no token,
            none is needed.
          </p>
          <pre><code>${example}</code></pre>
        </header>
        <main id="calls">
          <nav aria-label="Calls">
            <ul>
              ${calls.map(
                (call) =>
                  html`<li>
                    <a href="#${anchor(call)}"><code>${call.method.toUpperCase()} ${call.path}</code></a>
                  </li>`,
              )}
            </ul>
          </nav>
          ${(document.tags ?? []).map(
            (tag) =>
              html`<section>
                <h2>${tag.name}</h2>
                <p>${tag.description ?? ''}</p>
                ${calls.filter((call) => call.operation.tags?.includes(tag.name)).map(callCard)}
              </section>`,
          )}
          <section>
            <h2>Shapes</h2>
            ${schemas.map(
              ([name, schema]) =>
                html`<article id="schema-${name}">
                  <h3>${name}</h3>
                  ${schemaFields(schema)}
                </article>`,
            )}
          </section>
          <section>
            <h2>Problems</h2>
            <p>Every error has one of these as its <code>type</code>.</p>
            ${Object.entries(problemKinds).map(
              ([kind, { status, title }]) =>
                html`<article id="${kind}">
                  <h3><code>${status}</code> ${title}</h3>
                  <p class="soft"><code>/docs#${kind}</code></p>
                </article>`,
            )}
          </section>
        </main>
      </body>
    </html>`
}

// In one piece: a formatter that indents the template would change what the policy's hash stands for.
const styleElement = raw(`<style>${docsStyle}</style>`)

const example = `curl -s http://127.0.0.1:8080/api/v1/tasks \\
  -H 'Content-Type: application/json' \\
  -d '{"repo": "https://example.org/team/project.git",
       "prompt": "Write today’s date into DATE",
       "command": "date > DATE"}'`

function allCalls(document: OpenApiDocument): Call[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    (['get', 'post', 'put', 'delete'] as const).flatMap((method) => {
      const operation = item[method]
      return operation === undefined ? [] : [{ method, path, operation }]
    }),
  )
}

function callCard(call: Call): Html {
  const { method, path, operation } = call
  return html`<article id="${anchor(call)}">
    <h3><span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code></h3>
    <p>${operation.summary ?? ''}</p>
    ${operation.description === undefined ? '' : html`<p class="soft">${operation.description}</p>`}
    ${parameterList(operation)} ${bodyLine(operation)}
    <details>
      <summary>Answers</summary>
      <dl>
        ${Object.entries(operation.responses ?? {}).map(([status, response]) => answer(status, response))}
      </dl>
    </details>
  </article>`
}

function parameterList(operation: Operation): Html | string {
  const parameters = (operation.parameters ?? []).flatMap((parameter) =>
    'name' in parameter ? [parameter] : [],
  )
  if (parameters.length === 0) return ''
  return html`<h4>Parameters</h4>
    <dl>
      ${parameters.map(
        (parameter) =>
          html`<dt>
              <code>${parameter.name}</code>
              <span class="soft">in ${parameter.in}${parameter.required === true ? ', needed' : ''}</span>
            </dt>
            <dd>${parameter.description ?? ''} ${schemaName(parameter.schema)}</dd>`,
      )}
    </dl>`
}

function bodyLine(operation: Operation): Html | string {
  const body = operation.requestBody
  if (body === undefined || !('content' in body)) return ''
  return html`<h4>Body</h4>
    <p>JSON: ${schemaName(body.content['application/json']?.schema)}</p>`
}

function answer(status: string, response: object): Html {
  const description = 'description' in response ? String(response.description) : ''
  const content: Record<string, { schema?: Schema }> =
    'content' in response && typeof response.content === 'object' ? { ...response.content } : {}
  return html`<dt><code>${status}</code> ${description}</dt>
    ${Object.entries(content).map(
      ([type, { schema }]) => html`<dd><code>${type}</code> ${schemaName(schema)}</dd>`,
    )}`
}

function anchor(call: Call): string {
  return `${call.method}${call.path.replaceAll(/[{}]/g, '').replaceAll('/', '-')}`
}
