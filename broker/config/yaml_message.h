// Files that people write, read into typed messages. A mistake is reported with file, line and what
// was expected; all mistakes of a file are reported, not only the first.
//
// How YAML maps onto a message (descriptor reflection; schakel/v1/yaml_options.proto adds demands):
//   - keys are the field names; unknown, missing (option `required`) and duplicate keys are
//   refused;
//   - enum values are their names without the enum's prefix, in lower case with hyphens;
//   - google.protobuf.Duration is a whole number with a unit: 500ms, 10s, 5min, 12h, 30d;
//   - an integer field with the word `bytes` in its name also takes sizes: 64KiB, 256MiB, 1GiB;
//   - a `bytes` field is hexadecimal;
//   - a repeated field is a sequence; of messages it may also be a map: the key fills the item's
//   first
//     field and a plain value its second (`debt-relief@dordrecht: "00000099000000002000"`);
//   - null is refused (leave the key out instead), and so are aliases and second documents.
// LIMIT: 1,000,000 values, 32 levels and 100 mistakes a file.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <string_view>
#include <vector>

#include "broker/base/result.h"

namespace schakel::config {

// Reads `text` into `out` (which is cleared first) and appends one Error per mistake to `problems`:
// reason CONFIG_INVALID, field "file:line" (1-based; `file` as given), message in English. Returns
// whether there was none; otherwise `out` holds what could be read. No I/O. Thread-safe.
bool ReadYaml(std::string_view file, std::string_view text, google::protobuf::Message* out,
              std::vector<Error>* problems);

// The same for callers that need one Error: the first mistake, and how many more there are.
Status ReadYaml(std::string_view file, std::string_view text, google::protobuf::Message* out);

// Joins problems into one Error: the first, its message telling how many more there are.
// REQUIRES: !problems.empty()
Error JoinProblems(const std::vector<Error>& problems);

}  // namespace schakel::config
