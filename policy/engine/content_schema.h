// JSON Schemas of section contents (draft 7). The broker is blind, so the sender's SDK checks
// before sealing and the recipient's after opening: this is where data minimisation inside a
// section lives.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/result.h"

namespace schakel::policy {

// Immutable; safe to use from any thread.
class ContentSchemas {
 public:
  // Compiles all of them (id -> text). Appends a BUNDLE_INVALID per mistake (field
  // "schemas/ID.json"); null when there was one. Schemas may not use `pattern` or
  // `patternProperties` (a regular expression over a stranger's text can exhaust the stack) nor
  // refer to other documents, and each object must say `additionalProperties: false`.
  static std::unique_ptr<ContentSchemas> Create(const std::map<std::string, Bytes>& schemas,
                                                std::vector<Error>* problems);
  ~ContentSchemas();
  ContentSchemas(const ContentSchemas&) = delete;
  ContentSchemas& operator=(const ContentSchemas&) = delete;

  bool Has(std::string_view id) const;

  // Empty when `json` is valid JSON that meets the schema; otherwise one CONTENT_INVALID per
  // mistake, field = JSON pointer (RFC 6901) of the wrong value. Messages never repeat the content.
  std::vector<Error> Validate(std::string_view id, BytesView json) const;

 private:
  struct Impl;
  explicit ContentSchemas(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schakel::policy
