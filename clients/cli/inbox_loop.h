// What inbox watch and the loopback share: the inbox as a stream, taken item by item.
#pragma once

#include <functional>
#include <optional>

#include "clients/cli/exit_code.h"
#include "clients/cli/interrupt.h"
#include "clients/sdk/pull_stream.h"

namespace schakel::cli {

// What follows on an item: the next one, or an end with this exit code.
using AfterItem = std::optional<ExitCode>;

// Hands each item to `take` until `take` ends it, until an interrupt (130), or with `until_idle`
// until nothing waits (0). An Error of the stream or of `take` ends it too. The stream is closed on
// return: the broker gives what is unsettled to whoever comes next.
Result<ExitCode> TakeEachItem(sdk::PullStream& stream, const InterruptGuard& guard, bool until_idle,
                              const std::function<Result<AfterItem>(v1::Delivery)>& take);

}  // namespace schakel::cli
