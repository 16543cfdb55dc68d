#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "manifest/parse.h"
#include "plugin/plugin.h"

namespace mooring {

/// A quantity that must be well formed.
inline Quantity quantity(std::string_view text) {
  return Quantity::parse(text).value();
}

/// A pod whose only volume, named "v", has this source; `containers` replaces its one container.
inline std::shared_ptr<const manifest::Pod> pod_with(const std::string& source,
                                                     const std::string& containers = "[{name: c}]") {
  const std::string text =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: web, uid: u1}\nspec:\n  containers: " + containers +
      "\n  volumes:\n  - name: v\n    " + source + "\n";
  const manifest::ParsedFile file = manifest::parse_file(text, "t.yaml");
  for (const manifest::Diagnostic& diagnostic : file.diagnostics)
    ADD_FAILURE() << diagnostic.text();
  EXPECT_EQ(file.objects.size(), 1u);
  if (file.objects.size() != 1) return std::make_shared<manifest::Pod>();
  return std::get<std::shared_ptr<const manifest::Pod>>(file.objects[0]);
}

inline NodeInfo node_info() {
  NodeInfo node;
  node.name = NodeName("n1");
  node.root_dir = "/var/lib/mooring";
  return node;
}

}  // namespace mooring
