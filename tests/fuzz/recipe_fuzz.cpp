// Recipes: any bytes are decoded or refused; what is decoded encodes to the same and is within the limits.
#include "engine/store/recipe.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    const ByteView bytes(data, size);
    const Result<store::Recipe> recipe = store::decode_recipe(bytes);
    if (!recipe.has_value()) return 0;
    if (recipe->extents.size() > store::kRecipeExtentsMax || recipe->size() > store::kFileBytesMax)
        std::abort();
    if (!equal(store::encode(*recipe), bytes)) std::abort();
    return 0;
}
