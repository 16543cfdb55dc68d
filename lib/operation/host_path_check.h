#pragma once

#include "base/result.h"
#include "kernel/files.h"
#include "step/step.h"

namespace mooring {

/// Checks a hostPath against its type, and makes what the type says is to be made. True if something was
/// made. (kubelet-behaviours 13.2: the accept/refuse table.)
///
///     type               nothing there    a directory   a file    a socket   char device  block device
///     DirectoryOrCreate  mkdir -p, 0755   ok            refused   refused    refused      refused
///     Directory          refused          ok            refused   refused    refused      refused
///     FileOrCreate       create, 0644     refused       ok        refused    refused      refused
///     File               refused          refused       ok        refused    refused      refused
///     Socket             refused          refused       refused   ok         refused      refused
///     CharDevice         refused          refused       refused   refused    ok           refused
///     BlockDevice        refused          refused       refused   refused    refused      ok
///
/// Symbolic links are followed. FileOrCreate makes no parent.
Result<bool> check_host_path(const CheckHostPath& step, kernel::Files& files);

}  // namespace mooring
