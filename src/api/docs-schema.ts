import { html } from 'hono/html'
import type { OpenApiDocument } from './openapi.ts'

type Html = ReturnType<typeof html>
export type Schema = NonNullable<NonNullable<OpenApiDocument['components']>['schemas']>[string]

/** The type of a schema in a word or two, with a link where it has a name. */
export function schemaName(schema: Schema | undefined): Html | string {
  if (schema === undefined) return ''
  if ('$ref' in schema && typeof schema.$ref === 'string') {
    const name = schema.$ref.split('/').at(-1) ?? ''
    return html`<a href="#schema-${name}">${name}</a>`
  }
  if ('enum' in schema && schema.enum !== undefined) {
    return html`one of
    ${schema.enum.map((value, index) => html`${index === 0 ? '' : ', '}<code>${String(value)}</code>`)}`
  }
  const alternatives =
    ('anyOf' in schema ? schema.anyOf : undefined) ?? ('oneOf' in schema ? schema.oneOf : undefined)
  if (alternatives !== undefined) {
    return html`${alternatives.map((each, index) => html`${index === 0 ? '' : ' or '}${schemaName(each)}`)}`
  }
  if ('allOf' in schema && schema.allOf !== undefined)
    return html`${schema.allOf.map((each) => schemaName(each))}`
  const types = 'type' in schema ? [schema.type ?? []].flat() : []
  if (types.includes('array') && 'items' in schema) {
    return html`list of ${schemaName(schema.items)}`
  }
  return types.join(' or ')
}

/** The fields of an object, each with its type and meaning. */
export function schemaFields(schema: Schema): Html {
  const properties = 'properties' in schema ? Object.entries(schema.properties ?? {}) : []
  const description = 'description' in schema ? (schema.description ?? '') : ''
  if (properties.length === 0) return html`<p class="soft">${description} ${schemaName(schema)}</p>`
  const required = 'required' in schema ? (schema.required ?? []) : []
  return html`${description === '' ? '' : html`<p>${description}</p>`}
    <dl>
      ${properties.map(
        ([name, field]) =>
          html`<dt>
              <code>${name}</code>
              <span class="soft">${schemaName(field)}${need(name, required, field)}</span>
            </dt>
            <dd>
              ${'description' in field ? (field.description ?? '') : ''}
              ${'properties' in field ? schemaFields({ ...field, description: '' }) : ''}
            </dd>`,
      )}
    </dl>`
}

function need(name: string, required: readonly string[], field: Schema): string {
  if ('default' in field && field.default !== undefined)
    return `, ${JSON.stringify(field.default)} by default`
  return required.includes(name) ? '' : ', may be left out'
}
