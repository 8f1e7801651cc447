// What a program shows on its metrics port.
#pragma once

#include <optional>
#include <string>

namespace schakel::e2e {

// All of it, with the head of the answer. A failed expectation when nothing answers there.
std::string MetricsAt(int port);

// Of a metric without labels; nullopt when it is not shown.
std::optional<double> ValueOf(const std::string& text, const std::string& metric);

}  // namespace schakel::e2e
