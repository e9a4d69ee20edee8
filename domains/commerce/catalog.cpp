// What a product of the catalog does.
#include "commerce/v1/catalog.troupe.hpp"
#include "domains/commerce/money.hpp"
#include "domains/commerce/refusals.hpp"

namespace commerce {
namespace {

constexpr std::size_t name_bytes_max = 200;
constexpr std::size_t description_bytes_max = 4000;

class CatalogProduct final : public v1::CatalogEntity {
  Result<v1::Product> Publish(const v1::PublishRequest& request, Effects& effects) const override {
    if (request.name().empty() || request.name().size() > name_bytes_max)
      return refusals::product_name_invalid(request.name().size(), name_bytes_max);
    if (request.description().size() > description_bytes_max)
      return refusals::description_too_long(request.description().size(), description_bytes_max);
    TROUPE_CHECK(check_amount("price", request.price()));
    if (state().status() == v1::Product::ON_SALE) return refusals::product_on_sale(key());
    v1::Published event;
    event.set_name(request.name());
    event.set_description(request.description());
    *event.mutable_price() = request.price();
    effects.emit(event);
    return view();
  }

  Result<v1::Product> ChangePrice(const v1::ChangePriceRequest& request,
                                  Effects& effects) const override {
    TROUPE_CHECK(check_amount("price", request.price()));
    TROUPE_CHECK(exists());
    if (state().status() == v1::Product::RETIRED) return refusals::product_retired(key());
    const auto& price = state().price();
    if (request.price().currency() != price.currency())
      return refusals::price_currency_mismatch(key(), price.currency(), request.price().currency());
    if (request.price().minor_units() == price.minor_units()) return view();
    v1::PriceChanged event;
    event.set_minor_units(request.price().minor_units());
    effects.emit(event);
    return view();
  }

  Result<v1::Product> Retire(const v1::RetireRequest&, Effects& effects) const override {
    TROUPE_CHECK(exists());
    if (state().status() == v1::Product::ON_SALE) effects.emit(v1::Retired{});
    return view();
  }

  Result<v1::Product> Get(const v1::GetProductRequest&) const override {
    TROUPE_CHECK(exists());
    return view();
  }

  void apply(const v1::Published& event) override {
    state().set_name(event.name());
    state().set_description(event.description());
    *state().mutable_price() = event.price();
    state().set_status(v1::Product::ON_SALE);
  }
  void apply(const v1::PriceChanged& event) override {
    state().mutable_price()->set_minor_units(event.minor_units());
  }
  void apply(const v1::Retired&) override { state().set_status(v1::Product::RETIRED); }

  Result<void> exists() const {
    if (state().status() == v1::Product::STATUS_UNSPECIFIED)
      return refusals::product_not_found(key());
    return {};
  }

  v1::Product view() const {
    v1::Product product;
    product.set_sku(key());
    product.set_name(state().name());
    product.set_description(state().description());
    *product.mutable_price() = state().price();
    product.set_status(state().status());
    return product;
  }
};

TROUPE_SERVICE(CatalogProduct);

}  // namespace
}  // namespace commerce
