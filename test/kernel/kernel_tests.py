"""jupyter_kernel_test, the tests that Jupyter has for kernels, told what this kernel speaks."""
import unittest

import jupyter_kernel_test


class TypeScript(jupyter_kernel_test.KernelTests):
    kernel_name = "vmlab"
    language_name = "typescript"
    file_extension = ".ts"
    code_hello_world = "console.log('hello, world')"
    code_stderr = "console.error('oops')"
    completion_samples = [
        {"text": "Math.sqr", "matches": ["sqrt"]},
        {"text": "consol", "matches": ["console"]},
    ]
    complete_code_samples = ["1", "const x = 1;", "function f() { return 1; }", "class A {\n  b = 1;\n}"]
    incomplete_code_samples = ["function f() {", "const s = `a", "[1, 2", "/* open", "if (true) {\n  1"]
    invalid_code_samples = ["const = 1", "let 1x = 3;", "function f() { ) }"]
    code_generate_error = "throw new Error('an error')"
    code_execute_result = [
        {"code": "1 + 2", "result": "3"},
        {"code": "'a' + 'b'", "result": "'ab'"},
        {"code": "[1, 2]", "result": "[ 1, 2 ]"},
        {"code": "({ toHtml: () => '<b>x</b>' })", "mime": "text/html", "result": "<b>x</b>"},
    ]
    code_display_data = [{"code": "display({ toHtml: () => '<b>x</b>' })", "mime": "text/html"}]
    code_history_pattern = "1 ?*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "Math.sqrt"
    code_clear_output = "clearOutput()"


class Welcome(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "vmlab"
    support_iopub_welcome = True


if __name__ == "__main__":
    unittest.main()
