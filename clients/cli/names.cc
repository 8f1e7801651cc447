#include "clients/cli/names.h"

#include "clients/cli/messages.h"

namespace schakel::cli {

std::string Names::Of(policy::CodeKind kind, const std::string& code) {
  if (!asked_bundle_) {
    asked_bundle_ = true;
    if (session_ != nullptr) {
      const auto policy = session_->policy();
      if (policy.ok()) {
        auto active = (*policy)->Active();
        if (active.ok()) bundle_ = std::move(active).value();
        // Who does not answer this will not answer the next question either.
        directory_fails_ = directory_fails_ || !active.ok();
      }
    }
  }
  return bundle_ ? bundle_->compiled->NameOf(kind, code, CodeOf(language_)) : code;
}

std::string Names::Function(const v1::FunctionAddress& address) {
  if (address.function().empty()) return "";
  return Of(policy::CodeKind::kFunction, address.function()) + " @ " +
         Of(policy::CodeKind::kArea, address.area());
}

std::string Names::Organisation(const std::string& oin) { return Find(oin).name; }

std::string Names::Contact(const std::string& oin) { return Find(oin).contact; }

const Names::Entry& Names::Find(const std::string& oin) {
  const auto known = organisations_.find(oin);
  if (known != organisations_.end()) return known->second;
  Entry found{oin, {}};
  const auto id = OrganisationId::From(oin);
  if (id && session_ != nullptr && !directory_fails_) {
    const auto directory = session_->directory();
    if (directory.ok()) {
      const auto entry = (*directory)->GetRaw(*id);
      if (entry.ok()) {
        const auto& organisation = entry->entry().organisation();
        if (!organisation.name().empty()) found.name = organisation.name();
        found.contact = organisation.contact();
      } else if (entry.error().code != ErrorCode::kNotFound) {
        directory_fails_ = true;
        asked_bundle_ = true;
      }
    }
  }
  return organisations_[oin] = std::move(found);
}

std::string Names::Axis(const v1::PartyAxis& axis) {
  switch (axis.party_case()) {
    case v1::PartyAxis::kSector:
      return Of(policy::CodeKind::kSector, axis.sector());
    case v1::PartyAxis::kFunction:
      return Function(axis.function());
    case v1::PartyAxis::kOrganisation:
      return Organisation(axis.organisation());
    case v1::PartyAxis::PARTY_NOT_SET:
      break;
  }
  return Say(language_, Msg::kAny);
}

void Names::UseBundle(const Digest& digest) {
  if (session_ == nullptr) return;
  const auto policy = session_->policy();
  if (!policy.ok()) return;
  auto bundle = (*policy)->ByDigest(digest);
  if (!bundle.ok()) return;
  bundle_ = std::move(bundle).value();
  asked_bundle_ = true;
}

std::string ShortDigest(std::string_view raw) { return HexEncode(raw.substr(0, 6)); }

std::string IdText(std::string_view raw) {
  if (raw.empty()) return "";
  return raw.size() == 16 ? UuidText(raw) : HexEncode(raw);
}

std::string Printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  return out;
}

}  // namespace schakel::cli
