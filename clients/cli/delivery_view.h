// A delivery as it is shown and as it is written into a folder. Content goes straight from secret
// memory to where it is wanted.
#pragma once

#include <filesystem>
#include <optional>

#include "clients/cli/invocation.h"
#include "clients/sdk/opener.h"
#include "schakel/v1/inbox.pb.h"

namespace schakel::cli {

// A delivery with its signal opened; `opened` is unset for a notice.
struct OpenedDelivery {
  v1::Delivery delivery;
  std::optional<sdk::OpenedSignal> opened;
  std::vector<std::string> outcomes;  // codes that may be reported of it, once acknowledged
};

// Opens the signal of a delivery. Errors: as sdk::Opener::Open; where it stopped is told on `err`.
Result<OpenedDelivery> OpenDelivery(Invocation& invocation, v1::Delivery delivery);

// On `out`, as the format wants it: for people, a JSON object, or one on a line.
void ShowDelivery(Invocation& invocation, const OpenedDelivery& item);

// Everything but the contents, as JSON; what signal.json and notice.json hold.
std::string DeliveryJson(const OpenedDelivery& item);

// Writes <folder>/<signal id>/ (0700) with signal.json and one file per section,
// <number>-<category>.json (0600); of a notice <folder>/notice-<delivery id>/notice.json. Durable
// on return; a redelivery replaces what is there. Returns the folder that it made.
Result<std::filesystem::path> WriteDelivery(const std::filesystem::path& folder,
                                            const OpenedDelivery& item);

}  // namespace schakel::cli
