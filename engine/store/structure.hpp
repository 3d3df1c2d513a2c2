// Where the parts of a container begin and end, as its own tables tell: hints for the chunker, so that a part
// that comes again, in this file or another, is cut alike. Known are zip packages (PPTX, H5P, EPUB, SCORM;
// PKWARE APPNOTE 6.3.10, sections 4.3.7 to 4.3.16) and ISO base media files (MP4, MOV; ISO/IEC 14496-12,
// section 4.2). A wrong table costs bytes, never correctness.
#pragma once

#include <vector>

#include "engine/env/disk.hpp"

namespace satchel::store {

inline constexpr std::uint64_t kPartMin =
    16 * 1024;  // of smaller parts the names would cost more than they save
inline constexpr std::size_t kPartsMax = 4096;
inline constexpr std::size_t kZipDirectoryMax = 4 * 1024 * 1024;

// Offsets inside the file, ascending, each once. None for what is no container, or is one that can't be read.
Result<std::vector<std::uint64_t>> structure_cuts(env::File& source, std::uint64_t size);

}  // namespace satchel::store
