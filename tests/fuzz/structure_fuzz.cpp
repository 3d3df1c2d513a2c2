// Containers: whatever their tables say, the cuts lie inside the file, in order, and are few.
#include <cstdlib>

#include "engine/store/structure.hpp"
#include "tests/fuzz/input_file.hpp"

using namespace satchel;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::InputFile file(ByteView(data, size));
    const Result<std::vector<std::uint64_t>> cuts = store::structure_cuts(file, size);
    if (!cuts.has_value() || cuts->size() > 2 * store::kPartsMax) std::abort();
    for (std::size_t i = 0; i < cuts->size(); ++i)
        if ((*cuts)[i] >= size || (*cuts)[i] <= (i == 0 ? 0 : (*cuts)[i - 1])) std::abort();
    return 0;
}
