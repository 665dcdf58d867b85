/** Read from the base for the next task: whoever changes it changes the rules. Protected whatever `protect` says. */
export const repositoryFileName = '.nightshift.yaml'

const forges = [
  '.github/{workflows,actions}/**',
  '{.github/,docs/,.gitlab/,}CODEOWNERS',
  '**/.gitlab-ci.{yml,yaml}',
  '.gitlab/ci/**',
  '{.gitea,.forgejo}/{workflows,actions}/**',
  '{.circleci,.buildkite,.woodpecker,.semaphore,.teamcity,.tekton,.azure-pipelines,.builds,.ci}/**',
  '{.travis,.appveyor,appveyor,.drone,.woodpecker,.cirrus,wercker,.build,bitbucket-pipelines,cloudbuild,buildspec,codecov,.codecov}.{yml,yaml}',
  '**/azure-pipelines*.{yml,yaml}',
  '**/Jenkinsfile*',
]

const anyLanguage = [
  '**/{Makefile,makefile,GNUmakefile,justfile,Justfile,.justfile,Rakefile,rakefile,.bazelrc,Earthfile,SConstruct}',
  '**/{Taskfile,Taskfile.dist}.{yml,yaml}',
  '**/{mise,.mise}.toml',
  '**/{.editorconfig,.gitattributes,.pre-commit-config.yaml,.pre-commit-hooks.yaml,.shellcheckrc,.codespellrc}',
  '**/{.markdownlint*,.yamllint*,.hadolint.yaml,.typos.toml,typos.toml,cspell.json,cspell.*.json,.cspell.json}',
  '**/{*.mk,.lfsconfig,sonar-project.properties}',
  '**/{.rubocop.yml,.rspec,phpunit.xml,phpunit.xml.dist,phpstan.neon,phpstan.neon.dist,.php-cs-fixer*}',
  '{.husky,.githooks}/**',
  '**/{lefthook,.lefthook}.{yml,yaml,toml,json}',
]

const node = [
  '**/{.eslintrc,.prettierrc,.stylelintrc,.mocharc,.nycrc,.c8rc,.lintstagedrc,.commitlintrc,.oxlintrc,.oxfmtrc,.dependency-cruiser}*',
  '**/{.eslintignore,.prettierignore,.stylelintignore,.jshintrc,tslint.json,biome.json,biome.jsonc,.taprc,.testcaferc*}',
  '**/{eslint,prettier,stylelint,oxlint,vitest,vite,jest,ava,playwright,cypress,lint-staged,commitlint,wdio,web-test-runner}.config.*',
  '**/{vitest.workspace,vitest.setup,jest.setup,jest.preset,karma.conf,wallaby}.*',
  '**/{tsconfig,jsconfig}*.json',
  '**/{knip,nx,lerna,turbo,deno}.{json,jsonc}',
  '**/{gulpfile,Gruntfile}.*',
  '{moon,.moon/*}.{yml,yaml}',
  '**/{babel.config.*,.babelrc*,.swcrc,setupTests.*}',
  // What tools are installed as: a file there stands in for the tool.
  '**/node_modules/**',
  '**/.yarn/{releases,plugins,sdks}/**',
  '**/{.pnp.cjs,.pnp.loader.mjs}',
  '**/{.npmrc,.yarnrc,.yarnrc.yml,.pnpmfile.cjs,pnpm-workspace.yaml,bunfig.toml}',
]

const python = [
  '**/{pytest,.pytest,tox,mypy,.mypy}.ini',
  '**/{pytest,.pytest,tox,ruff,.ruff,ty,.pyre_configuration,pylintrc,.pylintrc}.toml',
  '**/{setup.cfg,noxfile.py,dodo.py,fabfile.py,.coveragerc,.flake8,.pylintrc,pylintrc,.isort.cfg,.bandit,.style.yapf,pyrightconfig.json}',
  '**/{sitecustomize,usercustomize}.py',
  '**/*.pth',
  '**/{nose.cfg,.noserc,unittest.cfg}',
  '**/{.venv,venv,.tox,.nox}/**',
  // At the top they are found before the tools of these names.
  '{pytest,_pytest,pluggy,unittest,mypy,ruff,flake8,pylint,coverage,tox,nox,pyright}.py',
  '{pytest,_pytest,pluggy,unittest,mypy,ruff,flake8,pylint,coverage}/*.py',
]

const go = [
  '**/go.work',
  '**/.golangci.{yml,yaml,toml,json}',
  '**/{staticcheck.conf,revive.toml,.revive.toml,.go-arch-lint.yml}',
]

const rust = [
  '**/{clippy,.clippy,rustfmt,.rustfmt,deny,rust-toolchain,.tarpaulin,tarpaulin}.toml',
  '**/rust-toolchain',
  '**/.cargo/{config,config.toml}',
  '**/.config/nextest.toml',
]

const java = [
  '**/{checkstyle,pmd,spotbugs,findbugs,error-prone}*.{xml,properties}',
  '**/config/{checkstyle,pmd,spotbugs,detekt,errorprone}/**',
  '**/{testng.xml,junit-platform.properties,detekt.yml,detekt.yaml,.scalafmt.conf,lombok.config}',
  '**/{gradle.properties,settings.gradle,settings.gradle.kts,gradlew,gradlew.bat,mvnw,mvnw.cmd}',
  '**/gradle/wrapper/**',
  '**/buildSrc/**',
  '**/.mvn/**',
  '**/META-INF/services/org.{junit,testng}*',
]

const c = [
  '**/{CMakePresets.json,CMakeUserPresets.json,CTestConfig.cmake,CTestCustom.cmake,CTestTestfile.cmake}',
  '**/{.clang-tidy,.clang-format,.cppcheck*}',
]

/** Files that define checks as a whole. Where names overlap it is no harm. */
export const defaultGlobs: readonly string[] = [
  ...forges,
  ...anyLanguage,
  ...node,
  ...python,
  ...go,
  ...rust,
  ...java,
  ...c,
]
