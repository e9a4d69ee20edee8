#include "cluster/gateway/http/http_date.hpp"

namespace troupe::cluster {

std::string_view HttpDate::at(WallTime now) {
  using namespace std::chrono;
  const auto second = floor<seconds>(now);
  if (second == second_) return text_;
  second_ = second;

  const auto day = floor<days>(second);
  const year_month_day date{day};
  const hh_mm_ss time{second - day};
  constexpr std::string_view week = "SunMonTueWedThuFriSat";
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto two_digits = [this](auto number) {
    text_ += static_cast<char>('0' + number / 10 % 10);
    text_ += static_cast<char>('0' + number % 10);
  };
  text_.clear();
  text_ += week.substr(weekday{day}.c_encoding() * 3, 3);
  text_ += ", ";
  two_digits(static_cast<unsigned>(date.day()));
  text_ += ' ';
  text_ += months.substr((static_cast<unsigned>(date.month()) - 1) * 3, 3);
  text_ += ' ';
  two_digits(static_cast<int>(date.year()) / 100);
  two_digits(static_cast<int>(date.year()) % 100);
  text_ += ' ';
  two_digits(time.hours().count());
  text_ += ':';
  two_digits(time.minutes().count());
  text_ += ':';
  two_digits(time.seconds().count());
  text_ += " GMT";
  return text_;
}

}  // namespace troupe::cluster
