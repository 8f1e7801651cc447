// What the composer's parts share.
#pragma once

#include <optional>
#include <vector>

#include "clients/sdk/composer.h"

namespace schakel::sdk {

// A draft with its addresses resolved and its readers chosen.
struct Composer::Resolved {
  Millis expires_in{0};
  std::vector<std::optional<VerifiedKeySet>> key_sets;  // of each recipient; unset: unavailable
  std::vector<std::optional<policy::Party>> parties;    // of each recipient; unset: unavailable
  std::vector<PlannedRecipient> plan;
  std::vector<std::vector<uint16_t>> section_subjects;  // places, from 0
};

// The places that a section's numbers mean; all of `count` when it names none.
std::vector<uint16_t> PlacesOf(const std::vector<uint16_t>& numbers, size_t count);

// One random label of 16 bytes per subject.
std::vector<SubjectLabel> NewLabels(size_t count);

void FillRecipient(const PlannedRecipient& recipient, v1::RoutedRecipient* out);

// The meta of a section: what the broker and its readers see of it.
v1::SectionMeta MetaOf(const SignalDraft& draft, size_t section,
                       const std::vector<uint16_t>& subjects,
                       const std::vector<SubjectLabel>& labels, const LoadedBundle& bundle);

// Prefixes the field of an error: "sections[2]." and what it was.
Error AtField(Error error, const std::string& prefix);

}  // namespace schakel::sdk
