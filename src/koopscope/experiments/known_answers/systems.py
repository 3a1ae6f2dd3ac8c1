SYSTEMS={}
def fit_of(case): return {}
