"""Schedules of the learning rate that look at more than the epoch."""

from tests.autograd.torch_reference.registry import case, outcome, wave


@case
def one_cycle(torch):
    """Rates and momenta of two groups, and what is refused."""
    make = torch.optim.lr_scheduler.OneCycleLR

    def cycle(name, *arguments, **settings):
        groups = [{"params": [wave(torch, 1)]} for _ in range(2)]
        optimizer, path = getattr(torch.optim, name)(groups, lr=0.1), []
        scheduler = make(optimizer, *arguments, **settings)
        for _ in range(8):
            groups = optimizer.param_groups
            path.append([[g["lr"], g.get("momentum", g.get("betas"))] for g in groups])
            optimizer.step()
            scheduler.step()
        return path

    lines = """cycle("SGD", 0.1, 8); cycle("Adam", [0.1, 0.5], 8, anneal_strategy="linear")
        cycle("SGD", 1, epochs=2, steps_per_epoch=4, three_phase=True, pct_start=0.4)
        cycle("SGD", 1, 8, cycle_momentum=False, div_factor=2.0, final_div_factor=10.0)
        cycle("RMSprop", 1.0, 8, base_momentum=[0.1, 0.2], max_momentum=0.5); cycle("SGD", 1.0, 7)
        cycle("SGD", 1.0, 6); cycle("SGD", 1.0); cycle("SGD", 1.0, 0); cycle("SGD", 1.0, epochs=2)
        cycle("SGD", 1.0, 8, pct_start=1); cycle("SGD", 1.0, 8, pct_start=2.0)
        cycle("SGD", 1.0, 8, anneal_strategy="up"); cycle("SGD", [1.0], 8)"""
    return {
        line.strip(): outcome(lambda line=line: eval(line.strip(), {"cycle": cycle}))
        for line in lines.replace("\n", ";").split(";")
    }


@case
def plateau(torch):
    make = torch.optim.lr_scheduler.ReduceLROnPlateau
    metrics = [3.0, 2.0, 2.0, 1.99999, 2.5, 2.5, 2.5, 1.0, 1.2, 1.2, 1.2, 1.2]

    def path(mode="min", **settings):
        groups = [{"params": [wave(torch, 1)], "lr": lr} for lr in (1.0, 0.2)]
        optimizer, rates = torch.optim.SGD(groups), []
        scheduler = make(optimizer, mode, **settings)
        for metric in metrics:
            scheduler.step(torch.tensor(metric) if metric == 2.0 else metric)
            rates.append(scheduler.get_last_lr())
        last = [group["lr"] for group in optimizer.param_groups]
        return [rates, last, scheduler.best, scheduler.last_epoch]

    lines = """path(patience=1); path("max", patience=1, factor=0.5); path(patience=0, cooldown=2)
        path(patience=1, threshold=0.1, threshold_mode="abs"); path(patience=0, min_lr=[0.1, 0.05])
        path("max", threshold=0.3, threshold_mode="abs", patience=2); path(factor=1.0); path("up")
        path(threshold_mode="up"); path(min_lr=[0.1]); path(patience=0, min_lr=0.5, eps=0.6)"""
    return {
        line.strip(): outcome(lambda line=line: eval(line.strip(), {"path": path}))
        for line in lines.replace("\n", ";").split(";")
    }
