// What a draft must be before anything is sealed.
#include <algorithm>
#include <set>

#include "broker/base/limits.h"
#include "clients/sdk/composer.h"
#include "clients/sdk/composer_internal.h"
#include "clients/sdk/pseudonym_client.h"
#include "policy/engine/content_schema.h"

namespace schakel::sdk {
namespace {

Error Unknown(const char* field, const char* what, const std::string& code,
              const LoadedBundle& bundle) {
  return InvalidArgument("UNKNOWN_CODE", field,
                         std::string(what) + " '" + code + "' is not in bundle " +
                             bundle.compiled->name() + " " + bundle.compiled->version());
}

Status CheckCount(size_t count, size_t most, const char* field) {
  if (count == 0) return InvalidArgument("FIELD_MISSING", field, "at least one is needed");
  if (count > most) {
    return InvalidArgument("TOO_LARGE", field, "at most " + std::to_string(most) + " are allowed");
  }
  return {};
}

Status CheckNumbers(const std::vector<uint16_t>& numbers, size_t count, const char* field) {
  std::set<uint16_t> seen;
  for (const uint16_t number : numbers) {
    if (number < 1 || number > count) {
      return InvalidArgument("FIELD_INVALID", field,
                             "there is no number " + std::to_string(number) +
                                 ", they go from 1 to " + std::to_string(count));
    }
    if (!seen.insert(number).second) {
      return InvalidArgument("FIELD_INVALID", field,
                             "number " + std::to_string(number) + " stands there twice");
    }
  }
  return {};
}

Status CheckSubjectRef(const v1::SubjectRef& subject, const LoadedBundle& bundle) {
  for (const auto& pair : subject.pairs()) {
    if (pair.value().size() != 32) {
      return InvalidArgument("SUBJECT_REF_INVALID", "", "a reference has 32 bytes");
    }
  }
  if (IsUnlinked(subject)) return {};
  std::vector<uint32_t> epochs;
  for (const auto& pair : subject.pairs()) epochs.push_back(pair.epoch());
  std::sort(epochs.begin(), epochs.end());
  if (epochs.empty() || epochs != bundle.compiled->LiveEpochs()) {
    return InvalidArgument("SUBJECT_REF_INVALID", "",
                           "a linked subject has its pseudonym under every live epoch");
  }
  return {};
}

bool IsIdentity(const v1::BundleCategory& category) {
  return category.kind() == v1::BUNDLE_CATEGORY_KIND_IDENTITY ||
         category.kind() == v1::BUNDLE_CATEGORY_KIND_IDENTITY_BSN ||
         category.kind() == v1::BUNDLE_CATEGORY_KIND_IDENTITY_ADDRESS;
}

}  // namespace

std::vector<uint16_t> PlacesOf(const std::vector<uint16_t>& numbers, size_t count) {
  std::vector<uint16_t> places;
  if (numbers.empty()) {
    for (size_t i = 0; i < count; ++i) places.push_back(static_cast<uint16_t>(i));
  }
  for (const uint16_t number : numbers) places.push_back(static_cast<uint16_t>(number - 1));
  return places;
}

Error AtField(Error error, const std::string& prefix) {
  error.field = error.field.empty() ? prefix : prefix + "." + error.field;
  return error;
}

Status Composer::CheckDraft(const SignalDraft& draft) const {
  const auto& bundle = *bundle_->compiled;
  const auto* type = bundle.FindSignalType(draft.signal_type);
  if (type == nullptr) return Unknown("signal_type", "signal type", draft.signal_type, *bundle_);
  if (!bundle.KnowsPurpose(draft.purpose)) {
    return Unknown("purpose", "purpose", draft.purpose, *bundle_);
  }
  if (draft.urgency != v1::URGENCY_NORMAL && draft.urgency != v1::URGENCY_ACUTE) {
    return InvalidArgument("FIELD_INVALID", "urgency", "the urgency is normal or acute");
  }
  if (draft.urgency == v1::URGENCY_ACUTE && !type->acute()) {
    return InvalidArgument("FIELD_INVALID", "urgency",
                           "signals of type " + draft.signal_type + " can't be acute");
  }
  if (draft.follows && draft.supersedes) {
    return InvalidArgument("FIELD_INVALID", "supersedes",
                           "a signal follows on another or replaces one, not both");
  }
  SCHAKEL_TRY(CheckCount(draft.recipients.size(), limits::kRecipientsMax, "recipients"));
  SCHAKEL_TRY(CheckCount(draft.subjects.size(), limits::kSubjectsMax, "subjects"));
  SCHAKEL_TRY(CheckCount(draft.sections.size(), limits::kSectionsMax, "sections"));
  for (size_t i = 0; i < draft.subjects.size(); ++i) {
    const auto checked = CheckSubjectRef(draft.subjects[i], *bundle_);
    if (!checked.ok()) return AtField(checked.error(), "subjects[" + std::to_string(i) + "]");
  }
  for (size_t i = 0; i < draft.sections.size(); ++i) {
    auto checked = CheckSection(draft, draft.sections[i]);
    if (checked.ok()) checked = CheckContent(draft, draft.sections[i]);
    if (!checked.ok()) return AtField(checked.error(), "sections[" + std::to_string(i) + "]");
  }
  return {};
}

Status Composer::CheckSection(const SignalDraft& draft, const DraftSection& section) const {
  const auto& bundle = *bundle_->compiled;
  const auto* category = bundle.FindCategory(section.category);
  if (category == nullptr) return Unknown("category", "category", section.category, *bundle_);
  if (bundle.FindGround(section.ground) == nullptr) {
    return Unknown("ground", "ground", section.ground, *bundle_);
  }
  if (section.attested.size() > limits::kAttestationsMax) {
    return InvalidArgument("TOO_LARGE", "attested", "at most 16 conditions are attested");
  }
  for (const auto& condition : section.attested) {
    if (!bundle.KnowsCondition(condition)) {
      return Unknown("attested", "condition", condition, *bundle_);
    }
  }
  SCHAKEL_TRY(CheckNumbers(section.subjects, draft.subjects.size(), "subjects"));
  SCHAKEL_TRY(CheckNumbers(section.readers, draft.recipients.size(), "readers"));
  const auto places = PlacesOf(section.subjects, draft.subjects.size());
  if (IsIdentity(*category) && places.size() != 1) {
    return InvalidArgument("FIELD_INVALID", "subjects",
                           "a section of category " + section.category + " is about one subject");
  }
  if (category->kind() == v1::BUNDLE_CATEGORY_KIND_IDENTITY_BSN &&
      IsUnlinked(draft.subjects[places.front()])) {
    return InvalidArgument("UNLINKED_SUBJECT", "subjects",
                           "who may send a BSN sends its pseudonym with it");
  }
  return {};
}

Status Composer::CheckContent(const SignalDraft& draft, const DraftSection& section) const {
  const auto& bundle = *bundle_->compiled;
  const std::string schema(bundle.SchemaId(draft.signal_type, section.category));
  if (schema.empty()) {
    return InvalidArgument(
        "FIELD_INVALID", "category",
        "signals of type " + draft.signal_type + " carry no category " + section.category);
  }
  if (!section.schema_id.empty() && section.schema_id != schema) {
    return InvalidArgument("FIELD_INVALID", "schema_id",
                           "category " + section.category + " has schema " + schema + " here");
  }
  if (section.media_type != "application/json") {
    return InvalidArgument("FIELD_INVALID", "media_type",
                           "content is application/json, so that its schema can be checked");
  }
  const auto mistakes = bundle.schemas().Validate(schema, section.content.ExposeSecret());
  if (mistakes.empty()) return {};
  Error first = mistakes.front();
  first.field = "content" + first.field;
  if (mistakes.size() > 1) {
    first.message += " (and " + std::to_string(mistakes.size() - 1) + " more)";
  }
  return first;
}

}  // namespace schakel::sdk
