// What the system's linker would say to a module, asked without loading it: libraries that are missing and symbols that
// nobody has. The linker lists them in a process of its own (as ldd -r does); none of the module's code runs.
#pragma once

#include <string>
#include <vector>

namespace sluice {

/// Lines such as "undefined symbol: foo" and "library libbar.so.1 is missing". Empty when all is found, or when the
/// linker cannot be asked (then loading will tell).
[[nodiscard]] std::vector<std::string> link_problems(const std::string& module_path);

}  // namespace sluice
