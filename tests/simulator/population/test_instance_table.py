from exporter.simulator.population.instance import virtual_address, virtual_ipv6_address
from exporter.simulator.population.instance_table import IdAllocator


def test_the_lowest_free_number_comes_first() -> None:
    numbers = IdAllocator()
    assert [numbers.allocate() for _ in range(5)] == [0, 1, 2, 3, 4]
    for number in (1, 3, 0):
        numbers.release(number)
    assert [numbers.allocate() for _ in range(4)] == [0, 1, 3, 5]


def test_addresses_are_counted_from_the_first_of_the_recorded_pools() -> None:
    assert virtual_address(0) == "10.8.0.2"
    assert virtual_address(254) == "10.8.1.0"
    assert virtual_ipv6_address(0) == "fd00:8::1000"
    assert virtual_ipv6_address(10) == "fd00:8::100a"
