// Only the three rules that need type information; Biome does the rest.
import tseslint from 'typescript-eslint'

export default tseslint.config({
  files: [
    '{bin,schemas,syntax,wire,system,compiler,config,pki,store,host,agent,ctl,daemon,test,bench,scripts}/**/*.ts',
  ],
  languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true } },
  plugins: { '@typescript-eslint': tseslint.plugin },
  linterOptions: { reportUnusedDisableDirectives: 'error' },
  rules: {
    '@typescript-eslint/no-floating-promises': 'error',
    '@typescript-eslint/no-misused-promises': 'error',
    '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  },
})
