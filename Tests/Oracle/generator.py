def case(seed, number):
    raise NotImplementedError
