import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["**/*.d.ts", ".venv/", "node_modules/"] },
  js.configs.recommended,
  {
    rules: {
      "no-shadow": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: "error",
    },
  },
  {
    files: ["assets/components/**/*.js"],
    languageOptions: { globals: { ...globals.browser, PALETTE: "readonly", STYLE: "readonly" } },
  },
  { files: ["tests/js/**/*.js", "eslint.config.js"], languageOptions: { globals: globals.node } },
];
