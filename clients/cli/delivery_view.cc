#include "clients/cli/delivery_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "clients/cli/parse.h"
#include "clients/cli/secret_json.h"
#include "clients/cli/words.h"
#include "clients/sdk/files.h"

namespace schakel::cli {
namespace {

using Json = nlohmann::ordered_json;
using policy::CodeKind;

constexpr const char* kJsonType = "application/json";

// The subjects that a reader learns of, in order of appearance: their labels.
std::vector<std::string> LabelsOf(const sdk::OpenedSignal& signal) {
  std::vector<std::string> labels;
  for (const auto& section : signal.sections) {
    for (const auto& label : section.meta.subject_labels()) {
      if (std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(label);
    }
  }
  return labels;
}

Json MetaJson(const sdk::OpenedSection& section) {
  Json labels = Json::array();
  for (const auto& label : section.meta.subject_labels()) labels.push_back(IdText(label));
  return {{"category", section.meta.category()},
          {"ground", section.meta.ground()},
          {"attested", section.meta.attested_conditions()},
          {"subjects", std::move(labels)},
          {"mediaType", section.content.media_type},
          {"schema", section.content.schema_id}};
}

Json HeadJson(const OpenedDelivery& item) {
  const auto& delivery = item.delivery;
  Json json = {{"deliveryId", IdText(delivery.delivery_id())},
               {"leaseUntil", TimeText(delivery.lease_until())},
               {"attempt", delivery.attempt()}};
  if (delivery.has_notice()) {
    const auto& notice = delivery.notice();
    json["notice"] = {
        {"kind", CodeOfValue(v1::NoticeKind_descriptor()->FindValueByNumber(notice.kind()))},
        {"signalId", IdText(notice.signal_id())},
        {"sender", notice.sender()},
        {"alias", notice.alias()},
        {"time", TimeText(notice.time())}};
    return json;
  }
  const auto& header = item.opened->header;
  json["signalId"] = IdText(header.signal_id());
  json["alias"] = delivery.signal().alias();
  json["sender"] = header.sender();
  json["type"] = header.signal_type();
  json["purpose"] = header.purpose();
  json["urgency"] = CodeOfValue(v1::Urgency_descriptor()->FindValueByNumber(header.urgency()));
  json["created"] = TimeText(Millis(static_cast<int64_t>(header.created_ms())));
  json["expires"] = TimeText(Millis(static_cast<int64_t>(header.expires_ms())));
  json["follows"] = IdText(header.follows());
  json["supersedes"] = IdText(header.supersedes());
  json["case"] = IdText(delivery.signal().case_id());
  json["redelivery"] = item.opened->redelivery;
  json["envelopeDigest"] = HexEncode(item.opened->envelope_digest.view());
  Json receipts = Json::array();
  for (const auto& receipt : delivery.signal().receipts()) {
    receipts.push_back(Json::parse(ToJson(receipt, false)));
  }
  json["receipts"] = std::move(receipts);
  json["outcomes"] = item.outcomes;
  return json;
}

// `object` without its closing brace, ready for one more member.
std::string Opened(const Json& object) {
  std::string text = object.dump();
  text.pop_back();
  return text;
}

void ShowJsonLine(std::ostream& out, const OpenedDelivery& item) {
  if (!item.opened) {
    out << HeadJson(item).dump() << '\n';
    return;
  }
  out << Opened(HeadJson(item)) << ",\"sections\":[";
  bool first = true;
  for (const auto& section : item.opened->sections) {
    out << (first ? "" : ",") << Opened(MetaJson(section));
    first = false;
    if (section.content.media_type == kJsonType) {
      out << ",\"content\":";
      WriteCompactJson(out, section.content.content.ExposeSecret());
    } else {
      out << ",\"contentBase64\":\"" << Base64Encode(section.content.content.ExposeSecret()) << '"';
    }
    out << '}';
  }
  out << "]}\n";
}

// Subject numbers of a section, as this reader may count them.
std::string Numbers(const sdk::OpenedSection& section, const std::vector<std::string>& labels) {
  std::string text;
  for (const auto& label : section.meta.subject_labels()) {
    const auto at = std::find(labels.begin(), labels.end(), label) - labels.begin();
    text += (text.empty() ? "" : ", ") + std::to_string(at + 1);
  }
  return text;
}

std::string Joined(const std::vector<std::string>& codes) {
  std::string text;
  for (const auto& code : codes) text += (text.empty() ? "" : ", ") + code;
  return text;
}

void ShowForPeople(Invocation& invocation, const OpenedDelivery& item) {
  Names& names = invocation.names();
  const auto& delivery = item.delivery;
  invocation.Heading(Msg::kHeadDelivery, IdText(delivery.delivery_id()));
  invocation.Heading(Msg::kHeadLease, TimeText(delivery.lease_until()));
  if (!item.opened) {
    const auto& notice = delivery.notice();
    invocation.Heading(Msg::kHeadNotice, Word(invocation.language(), notice.kind()));
    if (!notice.alias().empty()) invocation.Heading(Msg::kHeadAlias, Printable(notice.alias()));
    if (!notice.signal_id().empty()) {
      invocation.Heading(Msg::kHeadSignal, IdText(notice.signal_id()));
      invocation.Heading(Msg::kHeadSender, names.Organisation(notice.sender()));
    }
    invocation.out() << '\n';
    return;
  }
  const auto& header = item.opened->header;
  invocation.Heading(Msg::kHeadSignal, IdText(header.signal_id()));
  if (!delivery.signal().alias().empty()) {
    invocation.Heading(Msg::kHeadAlias, Printable(delivery.signal().alias()));
  }
  invocation.Heading(Msg::kHeadSender, names.Organisation(header.sender()));
  invocation.Heading(Msg::kHeadType, names.Of(CodeKind::kSignalType, header.signal_type()));
  invocation.Heading(Msg::kHeadPurpose, names.Of(CodeKind::kPurpose, header.purpose()));
  if (header.urgency() == v1::URGENCY_ACUTE) {
    invocation.Heading(Msg::kHeadUrgency, Word(invocation.language(), header.urgency()));
  }
  invocation.Heading(Msg::kHeadSent, TimeText(Millis(static_cast<int64_t>(header.created_ms()))));
  if (!item.outcomes.empty()) invocation.Heading(Msg::kHeadOutcomes, Joined(item.outcomes));
  const auto labels = LabelsOf(*item.opened);
  for (size_t i = 0; i < labels.size(); ++i) {
    invocation.Line(invocation.Text(Msg::kSubjectLine, {std::to_string(i + 1), IdText(labels[i])}));
  }
  for (const auto& section : item.opened->sections) {
    invocation.out() << "\n  " << names.Of(CodeKind::kCategory, section.meta.category()) << " ("
                     << invocation.Text(Msg::kAbout, {Numbers(section, labels)}) << "; "
                     << names.Of(CodeKind::kGround, section.meta.ground()) << ")\n";
    if (section.content.media_type == kJsonType) {
      WritePrettyJson(invocation.out(), section.content.content.ExposeSecret(), 4);
    } else {
      invocation.out() << "    " << Printable(section.content.media_type) << ", "
                       << section.content.content.size() << " bytes\n";
    }
  }
  invocation.out() << '\n';
}

}  // namespace

Result<OpenedDelivery> OpenDelivery(Invocation& invocation, v1::Delivery delivery) {
  OpenedDelivery item{std::move(delivery), std::nullopt, {}};
  if (!item.delivery.has_signal()) return item;
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const opener, session->opener());
  sdk::OpenDiagnosis diagnosis;
  auto opened = opener->Open(item.delivery.signal(), sdk::Now(), &diagnosis);
  if (!opened.ok()) {
    if (!diagnosis.why.empty()) {
      invocation.Note(Msg::kOpenDiagnosis, {IdText(item.delivery.delivery_id()),
                                            std::to_string(diagnosis.step), diagnosis.why});
    }
    return opened.error();
  }
  item.opened = std::move(opened).value();
  SCHAKEL_ASSIGN(auto* const policy, session->policy());
  // What may be reported is the active bundle's word; without it the delivery is shown all the same.
  if (const auto active = policy->Active(); active.ok()) {
    item.outcomes = (*active)->compiled->OutcomesOf(item.opened->header.signal_type());
  }
  return item;
}

void ShowDelivery(Invocation& invocation, const OpenedDelivery& item) {
  if (invocation.format() == Format::kTable) {
    ShowForPeople(invocation, item);
  } else {
    ShowJsonLine(invocation.out(), item);
  }
  invocation.out().flush();
}

std::string DeliveryJson(const OpenedDelivery& item) {
  Json json = HeadJson(item);
  if (item.opened) {
    Json sections = Json::array();
    for (size_t i = 0; i < item.opened->sections.size(); ++i) {
      const auto& section = item.opened->sections[i];
      Json meta = MetaJson(section);
      meta["file"] = std::to_string(i + 1) + "-" + section.meta.category() + ".json";
      sections.push_back(std::move(meta));
    }
    json["sections"] = std::move(sections);
  }
  return json.dump(2) + "\n";
}

Result<std::filesystem::path> WriteDelivery(const std::filesystem::path& folder,
                                            const OpenedDelivery& item) {
  SCHAKEL_TRY(sdk::EnsurePrivateFolder(folder));
  if (!item.opened) {
    auto place = folder / ("notice-" + IdText(item.delivery.delivery_id()));
    SCHAKEL_TRY(sdk::EnsurePrivateFolder(place));
    SCHAKEL_TRY(sdk::WriteFileDurably(place / "notice.json", DeliveryJson(item)));
    return place;
  }
  auto place = folder / IdText(item.opened->header.signal_id());
  SCHAKEL_TRY(sdk::EnsurePrivateFolder(place));
  for (size_t i = 0; i < item.opened->sections.size(); ++i) {
    const auto& section = item.opened->sections[i];
    // The category is a code of the bundle (letters, digits, hyphens): the opener checked it.
    const std::string name = std::to_string(i + 1) + "-" + section.meta.category() + ".json";
    SCHAKEL_TRY(sdk::WriteFileDurably(place / name, section.content.content.ExposeSecret()));
  }
  // Last: a folder with signal.json is whole.
  SCHAKEL_TRY(sdk::WriteFileDurably(place / "signal.json", DeliveryJson(item)));
  return place;
}

}  // namespace schakel::cli
