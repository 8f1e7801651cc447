// Shows JSON from secret memory without a copy of it.
#pragma once

#include <ostream>

#include "broker/base/bytes.h"

namespace schakel::cli {

// Writes well-formed JSON on one line, white space between its parts left out.
void WriteCompactJson(std::ostream& out, BytesView json);
// The same over several lines, each beginning with `indent` spaces. Control characters (which
// well-formed JSON has only as white space) never reach the terminal.
void WritePrettyJson(std::ostream& out, BytesView json, int indent);

}  // namespace schakel::cli
