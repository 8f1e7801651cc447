// The log's tree in a store: broker/audit/log_tree.h.
#pragma once

#include "broker/audit/log_tree.h"

namespace schakel::machine {

using audit::LogTree;
using audit::ReadEntry;
using audit::ReadTile;

}  // namespace schakel::machine
