// The whole log as frames, opened as far as a reader's scope goes: broker/audit/exporter.h.
#pragma once

#include <utility>

#include "broker/audit/exporter.h"
#include "broker/query/scope.h"

namespace schakel::query {

using audit::ExportDepth;

class Exporter : public audit::Exporter {
 public:
  static Result<Exporter> Open(const store::StateReader& state, Scope scope, ExportDepth depth) {
    SCHAKEL_ASSIGN(auto exporter,
                   audit::Exporter::Open(
                       state,
                       [scope = std::move(scope)](const v1::Record& record) {
                         return scope.Covers(record);
                       },
                       depth));
    return Exporter(std::move(exporter));
  }

 private:
  explicit Exporter(audit::Exporter exporter) : audit::Exporter(std::move(exporter)) {}
};

}  // namespace schakel::query
