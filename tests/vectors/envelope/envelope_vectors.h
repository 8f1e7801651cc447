// The envelope vectors: one Envelope about two subjects with three sections for two recipients, in
// a batch of three, with every value on the way; and statements. proto/ENVELOPE.md explains each.
#pragma once

#include <nlohmann/json.hpp>

#include "broker/base/bytes.h"

namespace schakel::vectors {

// envelope-1.json
nlohmann::ordered_json EnvelopeVectors();
// statement-1.json
nlohmann::ordered_json StatementVectors();
// refused-1.json: deliveries that must not open
nlohmann::ordered_json RefusedVectors();
// As the files hold them: indented, with a final newline.
std::string FileText(const nlohmann::ordered_json& vectors);
// The bytes of a field of such a file.
inline Bytes Raw(const nlohmann::json& field) {
  return HexDecode(field.get<std::string>()).value();
}

}  // namespace schakel::vectors
