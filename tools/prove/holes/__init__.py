"""The search for portfolios that lose more than the risk model promises to cover (risk-model section 10.1).

``sample`` draws markets, ``pricing`` prices what is in them with code of its own, ``layout`` and ``units`` turn
a book into arrays per instrument, ``requirement`` states the requirement of given quantities, ``program`` states
it as a linear program, ``families`` knows what is promised, ``search`` looks for the worst portfolio of each
family, ``cost`` prices standard books, ``documents`` and ``verify`` take finds to the mirror and the contracts.
"""
