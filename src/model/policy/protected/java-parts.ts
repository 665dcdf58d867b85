import { meaningfulLines, type ReadParts } from './parts.ts'

/** `pom.xml`: all but dependencies and the project's own version. */
export const pomParts: ReadParts = (text) => {
  const whole = 'the build'
  // A declaration or an instruction could hide where an element ends: then all of the file counts.
  if (/<!DOCTYPE|<!ENTITY|<\?(?!xml\s)/i.test(text)) return new Map([[whole, text]])
  const rest = text
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/<!\[CDATA\[[\s\S]*?\]\]>/g, (section) => section.replace(/</g, '&lt;'))
    .replace(/<dependencies>[\s\S]*?<\/dependencies>/g, '')
    .replace(
      /(<project\b[^>]*>(?:(?!<(?:parent|build|properties|profiles|modules)\b)[\s\S])*?)<version>[^<]*<\/version>/,
      '$1',
    )
  return new Map([[whole, rest.replace(/\s+/g, ' ').trim()]])
}

const gradleDependency =
  /^(?:(?:test|androidTest|debug|release|testFixtures)?(?:[iI]mplementation|[aA]pi|[cC]ompileOnly|[rR]untimeOnly|[aA]nnotationProcessor)|kapt|ksp)[\s(]+(?:platform\()?(?:project\()?["'][\w.:@+-]+["']\)*$|^version\s*=?\s*["'][\w.+-]+["']$/

/** `build.gradle` and `build.gradle.kts`: all but lines that name one dependency, and the version. */
export const gradleParts: ReadParts = (text) =>
  new Map([
    [
      'the build',
      meaningfulLines(text, /^\/\//)
        .filter((line) => !gradleDependency.test(line))
        .join('\n')
        // The first dependency brings a block of its own.
        .replace(/^dependencies\s*\{\s*\}$\n?/gm, '')
        .trim(),
    ],
  ])
