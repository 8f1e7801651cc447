// Codes, grounds and signal types of a bundle as numbers.
#include <set>

#include "policy/engine/duration.h"
#include "policy/engine/tables.h"

namespace schakel::policy {
namespace {

class Lists {
 public:
  Lists(Tables* t, Problems* problems) : t_(t), problems_(problems) {}

  void Add(CodeKind kind, CodeIndex* index, const char* file, uint32_t line, std::string_view what,
           const std::string& code, const std::string& nl, const std::string& en) {
    if (!index->Add(code)) {
      problems_->Invalid(file, line, std::string(what) + " '" + code + "' stands here twice");
    }
    if (index->size() == kCodesMax + 1) {
      problems_->Invalid(file, line,
                         "expected at most " + std::to_string(kCodesMax) + " codes of a kind");
    }
    t_->names.emplace(std::pair(kind, code), std::pair(nl, en.empty() ? nl : en));
  }

  template <typename Items>
  void AddAll(CodeKind kind, CodeIndex* index, const char* file, std::string_view what,
              const Items& items) {
    for (const auto& item : items) {
      Add(kind, index, file, item.source_line(), what, item.code(), item.nl(), item.en());
      if constexpr (requires { item.about_nl(); }) {
        t_->abouts.emplace(std::pair(kind, item.code()),
                           std::pair(item.about_nl(), item.about_en()));
      }
    }
  }

 private:
  Tables* t_;
  Problems* problems_;
};

// One flag per code of `index`: all set when the list is empty.
template <typename Codes>
std::vector<uint8_t> Flags(const Codes& codes, const CodeIndex& index, std::string_view what,
                           uint32_t line, Problems* problems) {
  std::vector<uint8_t> flags(index.size(), codes.empty() ? 1 : 0);
  for (const std::string& code : codes) {
    const Code at = index.Find(code);
    if (at == kUnknown) {
      problems->Unknown(kGroundsFile, line, what, code);
    } else {
      flags[at] = 1;
    }
  }
  return flags;
}

void CheckGroundCategory(const v1::BundleGroundCategory& entry, Problems* problems) {
  const std::string& letter = entry.article_6();
  if (letter.size() != 1 || letter[0] < 'a' || letter[0] > 'f') {
    problems->Invalid(kGroundsFile, entry.source_line(),
                      "expected article_6 to be a letter from a to f");
  }
}

// What a ground for test traffic may not be: a way for data of persons to those who may not link.
void CheckNobody(const v1::BundleManifest& manifest, const v1::BundleGround& ground,
                 Problems* problems) {
  const auto wrong = [&](const std::string& expected) {
    problems->Invalid(kGroundsFile, ground.source_line(),
                      "expected a ground whose subjects are nobody to " + expected);
  };
  if (ground.kind() == v1::BUNDLE_GROUND_KIND_CONSENT) wrong("be no consent");
  if (ground.signal_types().empty()) wrong("name its signal types");
  for (const v1::BundleGroundCategory& entry : ground.categories()) {
    for (const v1::BundleCategory& category : manifest.categories()) {
      const bool life_domain = category.kind() == v1::BUNDLE_CATEGORY_KIND_UNSPECIFIED ||
                               category.kind() == v1::BUNDLE_CATEGORY_KIND_LIFE_DOMAIN;
      if (entry.category() == category.code() && (!life_domain || category.special())) {
        wrong("cover life domains without special data only, not '" + category.code() + "'");
      }
    }
  }
}

}  // namespace

void Problems::Invalid(const char* file, uint32_t line, std::string message) {
  out_->push_back(InvalidArgument("BUNDLE_INVALID", std::string(file) + ":" + std::to_string(line),
                                  std::move(message)));
}

void Problems::Unknown(const char* file, uint32_t line, std::string_view what,
                       std::string_view code) {
  out_->push_back(InvalidArgument("UNKNOWN_CODE", std::string(file) + ":" + std::to_string(line),
                                  "unknown " + std::string(what) + " '" + std::string(code) + "'"));
}

void BuildCodes(const Bundle& bundle, Tables* t, Problems* problems) {
  Lists lists(t, problems);
  const v1::BundleManifest& m = bundle.manifest;
  CodeIndex links;
  lists.AddAll(CodeKind::kSector, &t->sectors, kManifestFile, "sector", m.sectors());
  lists.AddAll(CodeKind::kCategory, &t->categories, kManifestFile, "category", m.categories());
  lists.AddAll(CodeKind::kPurpose, &t->purposes, kManifestFile, "purpose", m.purposes());
  lists.AddAll(CodeKind::kLink, &links, kManifestFile, "link", m.links());
  lists.AddAll(CodeKind::kFunction, &t->functions, kManifestFile, "function", m.functions());
  lists.AddAll(CodeKind::kArea, &t->areas, kManifestFile, "area", m.areas());
  lists.Add(CodeKind::kCondition, &t->conditions, kManifestFile, 1, "condition",
            std::string(kObjectionWeighed), "bezwaar afgewogen", "objection weighed");
  lists.AddAll(CodeKind::kCondition, &t->conditions, kManifestFile, "condition", m.conditions());
  lists.AddAll(CodeKind::kOutcome, &t->outcomes, kManifestFile, "outcome", m.outcomes());
  lists.AddAll(CodeKind::kGround, &t->grounds, kGroundsFile, "ground", bundle.grounds.grounds());
  lists.AddAll(CodeKind::kSignalType, &t->signal_types, kSignalTypesFile, "signal type",
               bundle.signal_types.signal_types());
  t->objection_weighed = ConditionSet{1};

  if (t->conditions.size() > kConditionsMax) {
    problems->Invalid(kManifestFile, 1,
                      "expected at most " + std::to_string(kConditionsMax - 1) + " conditions");
  }
  for (const v1::BundleCategory& category : m.categories()) {
    t->category_kind.push_back(category.kind() == v1::BUNDLE_CATEGORY_KIND_UNSPECIFIED
                                   ? v1::BUNDLE_CATEGORY_KIND_LIFE_DOMAIN
                                   : category.kind());
  }
  for (const std::string& sector : m.public_sectors()) {
    if (t->sectors.Find(sector) == kUnknown) problems->Unknown(kManifestFile, 1, "sector", sector);
  }
  for (const v1::BundleSignalType& type : bundle.signal_types.signal_types()) {
    if (links.Find(type.link()) == kUnknown) {
      problems->Unknown(kSignalTypesFile, type.source_line(), "link", type.link());
    }
  }
  for (const std::string& outcome : m.default_outcomes()) {
    if (t->outcomes.Find(outcome) == kUnknown) {
      problems->Unknown(kManifestFile, 1, "outcome", outcome);
    }
  }
  std::set<uint32_t> epochs;
  for (const v1::BundleKeyDocument& document : m.key_documents()) {
    if (!epochs.insert(document.epoch()).second) {
      problems->Invalid(
          kManifestFile, 1,
          "epoch " + std::to_string(document.epoch()) + " stands in key_documents twice");
    }
  }
}

void BuildGrounds(const Bundle& bundle, Tables* t, Problems* problems) {
  for (const v1::BundleGround& source : bundle.grounds.grounds()) {
    const uint32_t line = source.source_line();
    GroundTable ground;
    ground.consent = source.kind() == v1::BUNDLE_GROUND_KIND_CONSENT;
    if (source.objection() != v1::BUNDLE_OBJECTION_EFFECT_UNSPECIFIED) {
      ground.objection = source.objection();
    }
    if (ground.consent && ground.objection != v1::BUNDLE_OBJECTION_EFFECT_BLOCKS) {
      problems->Invalid(kGroundsFile, line, "expected an objection to block a ground of consent");
    }
    ground.nobody = source.nobody();
    if (ground.nobody) CheckNobody(bundle.manifest, source, problems);
    ground.article = source.article();
    ground.sectors = Flags(source.sectors(), t->sectors, "sector", line, problems);
    ground.signal_types =
        Flags(source.signal_types(), t->signal_types, "signal type", line, problems);
    ground.purposes = Flags(source.purposes(), t->purposes, "purpose", line, problems);
    ground.categories.assign(t->categories.size(), 0);
    for (const v1::BundleGroundCategory& entry : source.categories()) {
      CheckGroundCategory(entry, problems);
      const Code at = t->categories.Find(entry.category());
      if (at == kUnknown) {
        problems->Unknown(kGroundsFile, entry.source_line(), "category", entry.category());
      } else if (ground.categories[at]++ != 0) {
        problems->Invalid(kGroundsFile, entry.source_line(),
                          "category '" + entry.category() + "' stands here twice");
      }
    }
    for (const std::string& condition : source.conditions()) {
      const Code at = t->conditions.Find(condition);
      if (at == kUnknown) {
        problems->Unknown(kGroundsFile, line, "condition", condition);
      } else if (at < static_cast<Code>(kConditionsMax)) {
        ground.conditions |= ConditionSet{1} << at;
      }
    }
    t->ground.push_back(std::move(ground));
  }
}

void BuildTypes(const Bundle& bundle, Tables* t, Problems* problems) {
  t->type_purpose.assign(t->signal_types.size() * t->purposes.size(), 0);
  t->type_category.assign(t->signal_types.size() * t->categories.size(), 0);
  for (const v1::BundleSignalType& type : bundle.signal_types.signal_types()) {
    const auto at = static_cast<size_t>(t->signal_types.Find(type.code()));
    for (const std::string& purpose : type.purposes()) {
      const Code code = t->purposes.Find(purpose);
      if (code == kUnknown) {
        problems->Unknown(kSignalTypesFile, type.source_line(), "purpose", purpose);
      } else {
        t->type_purpose[at * t->purposes.size() + code] = 1;
      }
    }
    for (const v1::BundleTypeCategory& entry : type.categories()) {
      const Code code = t->categories.Find(entry.category());
      if (code == kUnknown) {
        problems->Unknown(kSignalTypesFile, entry.source_line(), "category", entry.category());
      } else if (t->type_category[at * t->categories.size() + code]++ != 0) {
        problems->Invalid(kSignalTypesFile, entry.source_line(),
                          "category '" + entry.category() + "' stands here twice");
      }
      if (!bundle.schemas.contains(entry.schema())) {
        problems->Invalid(kSignalTypesFile, entry.source_line(),
                          "expected a file schemas/" + entry.schema() + ".json");
      }
    }
    for (const std::string& outcome : type.outcomes()) {
      if (t->outcomes.Find(outcome) == kUnknown) {
        problems->Unknown(kSignalTypesFile, type.source_line(), "outcome", outcome);
      }
    }
    const Millis min = ToMillis(type.expires_min());
    const Millis max = ToMillis(type.expires_max());
    const Millis usual = type.has_expires_default() ? ToMillis(type.expires_default()) : max;
    if (min > usual || usual > max) {
      problems->Invalid(kSignalTypesFile, type.source_line(),
                        "expected expires_min <= expires_default <= expires_max");
    }
    if (type.has_stalled_after() && ToMillis(type.stalled_after()) >= max) {
      problems->Invalid(kSignalTypesFile, type.source_line(),
                        "expected stalled_after < expires_max: else no signal ever stalls");
    }
  }
}

}  // namespace schakel::policy
