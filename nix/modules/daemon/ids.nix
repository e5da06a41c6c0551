# Subordinate ids of a backend's user: a separate range for every uid from 40000 on, above what people's accounts get.
rec {
  count = 65536;
  first = 536870912;
  subordinate = uid: first + (uid - 20000 * (uid / 20000)) * count;
}
