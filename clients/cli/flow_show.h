#pragma once

#include "clients/cli/verb.h"

namespace schakel::cli {

// flow show: the chain on one screen.
void AddFlowShow(CLI::App* noun, Invocation& invocation);

// The day of a moment, UTC: 2026-11-20; empty for a moment that is not set.
std::string DayText(const google::protobuf::Timestamp& time);

}  // namespace schakel::cli
