import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["**/*.d.ts", ".venv/", "node_modules/"] },
  js.configs.recommended,
  {
    files: ["assets/components/**/*.js"],
    languageOptions: { globals: { ...globals.browser, PALETTE: "readonly", STYLE: "readonly" } },
    rules: {
      "no-self-compare": "off", // x !== x is how a number is found to be NaN in a hot loop
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-shadow": ["error", { builtinGlobals: false }],
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: "error",
    },
  },
  { files: ["tests/js/**/*.js", "eslint.config.js"], languageOptions: { globals: globals.node } },
];
